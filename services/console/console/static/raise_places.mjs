// The type-ahead of places: pinyin, initials or characters; arrows and Enter, Tab takes the marked one.

import { $, el, t } from "./ground.mjs";

const WAIT_MS = 60;
const FOUND_MAX = 8;
const KINDS = () => ({
  township: t("Township"), village: t("Village"), bus_station: t("Bus station"), ferry_terminal: t("Ferry terminal"),
  rail_station: t("Railway station"), hotel: t("Hotel"), school: t("School"), hospital: t("Hospital"),
  entertainment_venue: t("Entertainment venue"), urban_management: t("Urban management"), toll_gate: t("Toll gate"),
  bridge: t("Bridge"), road_checkpoint: t("Checkpoint"), border_checkpoint: t("County border"),
});

let index = null;

// For when there is no connection: the service worker keeps this list with the page.
async function loadIndex() {
  try {
    index = (await (await fetch("/places/index", { headers: { Accept: "application/json" } })).json()).places;
  } catch {
    index = null;
  }
}

function fromIndex(query) {
  const wanted = query.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  const found = (index ?? []).filter((one) => one.keys.some((key) => key.includes(wanted)));
  const begins = (one) => (one.keys.some((key) => key.startsWith(wanted)) ? 0 : 1);
  return found.sort((a, b) => begins(a) - begins(b)).slice(0, FOUND_MAX);
}

export function typeAhead(input, list, chosen) {
  const kinds = KINDS();
  let found = [];
  let marked = -1;
  let timer = 0;
  let asking = null;
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  close();

  function close() {
    list.hidden = true;
    found = [];
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(at) {
    marked = at;
    [...list.children].forEach((one, place) => one.setAttribute("aria-selected", String(place === at)));
    if (at >= 0) input.setAttribute("aria-activedescendant", `place-${at}`);
    list.children[at]?.scrollIntoView({ block: "nearest" });
  }

  function show(places) {
    found = places;
    list.replaceChildren(...places.map((one, at) => el("li", { role: "option", id: `place-${at}`, onmousedown: (event) => {
      event.preventDefault();
      take(at);
    } }, el("span", {}, one.name), el("span", { class: "quiet" },
      [kinds[one.kind], one.town, one.near ? t("position of the town") : null].filter(Boolean).join(" · ")))));
    list.hidden = places.length === 0;
    input.setAttribute("aria-expanded", String(places.length > 0));
    mark(places.length ? 0 : -1);
  }

  function take(at) {
    const one = found[at];
    close();
    if (!one) return;
    input.value = one.name;
    chosen(one);
  }

  async function ask(query) {
    asking?.abort();
    asking = new AbortController();
    try {
      const headers = { Accept: "application/json" };
      const answer = await fetch(`/places?q=${encodeURIComponent(query)}`, { headers, signal: asking.signal });
      if (!answer.ok) throw new Error(`${answer.status}`);
      return (await answer.json()).places;
    } catch (error) {
      return error.name === "AbortError" ? null : fromIndex(query);
    }
  }

  async function look() {
    const query = input.value.trim();
    if (!query) return close();
    const places = await ask(query);
    if (places && input.value.trim() === query && document.activeElement === input) show(places);
  }

  input.addEventListener("input", () => {
    chosen(null);
    clearTimeout(timer);
    timer = setTimeout(look, WAIT_MS);
  });

  // Somebody types faster than the list comes: the key waits for it, so that nothing has to be typed twice.
  async function takeFirst() {
    clearTimeout(timer);
    const places = await ask(input.value.trim());
    if (places?.length) {
      found = places;
      take(0);
    }
  }

  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const isOpen = !list.hidden;
    if (isOpen && event.key === "ArrowDown") mark((marked + 1) % found.length);
    else if (isOpen && event.key === "ArrowUp") mark((marked + found.length - 1) % found.length);
    else if (isOpen && event.key === "Escape") close();
    else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      if (isOpen) take(marked);
      else if (input.value.trim() && !input.dataset.chosen) takeFirst();
    } else if (event.key === "Tab" && !event.shiftKey) {
      if (isOpen) take(marked);
      else if (input.value.trim() && !input.dataset.chosen) takeFirst();
      return;
    } else return;
    event.preventDefault();
  });
  // Sent back here because the name fits several places: they are shown at once.
  input.addEventListener("focus", () => input.value.trim() && !input.dataset.chosen && look());
  input.addEventListener("blur", () => setTimeout(close, 150));
  loadIndex();
}

export const placeFields = (form) => ["lon", "lat", "township_code", "place_name"].map((name) => $(`[name=${name}]`, form));
