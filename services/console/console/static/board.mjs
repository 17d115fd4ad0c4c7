// The live board: rows kept true by the stream, keys, filters, details in a dialog, wall mode; the map comes after.
//
// Rows are the truth: the map reads where things are from their data attributes, so nothing can differ between the two.

import { $, $$, key, t, beijing, now, say } from "./ground.mjs";
import { listen } from "./board_live.mjs";
import { bindForms, openDetail } from "./board_detail.mjs";
import { applyPatch, changedRows, markLate, resort, setUpRows, step, swapBoard } from "./board_rows.mjs";

const board = $("#board");
let map = null;
let touched = Date.now();

// -- what the stream says

function asOf(iso) {
  const shown = $("#as-of");
  if (!iso || !shown) return;
  shown.dateTime = iso;
  shown.textContent = beijing(iso);
}

function onPatch(patch) {
  const { rows, headToo } = applyPatch(patch);
  asOf(patch.facts_at);
  map?.touch(rows, headToo);
  rows.forEach(offerPlace);
  if (headToo) actsFollow();
  if (headToo && $("#head").dataset.version !== board.dataset.version) refreshRings();
  if (document.body.classList.contains("wall")) resort();
}

async function refreshRings() {
  board.dataset.version = $("#head").dataset.version;
  const answer = await fetch(`/cases/${board.dataset.case}/rings`, { headers: { Accept: "text/html" } }).catch(() => null);
  if (answer?.ok && !answer.redirected) $("#rings").innerHTML = await answer.text();
}

async function onResync() {
  // The whole story, so that nothing disappears that was on the page.
  const answer = await fetch(`${location.pathname}?whole=1`, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) throw new Error(`${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const seq = swapBoard(fresh);
  asOf($("#as-of")?.dateTime);
  map?.readAll();
  $$("#orders tr, #sites tr").forEach(offerPlace);
  actsFollow();
  return seq;
}

function veil(since) {
  const shown = $("#veil");
  const covered = since !== null;
  if (covered) shown.textContent = t("Connection lost. Data as of {time}; trying again.", { time: beijing(since) });
  if (shown.hidden === covered) shown.hidden = !covered;
  for (const part of [$("#head"), $("#panes"), $("#rings")]) part.classList.toggle("veiled", covered);
}

function onEnded() {
  veil(new Date(now()).toISOString());
  say(t("The session is over: log in again."), "refused");
  location.assign(`/login?to=${encodeURIComponent(location.pathname)}`);
}

// -- time

function everySecond() {
  for (const shown of $$("[data-elapsed]")) {
    const until = shown.dataset.until ? Date.parse(shown.dataset.until) : now();
    const seconds = Math.max(0, Math.trunc((until - Date.parse(shown.dataset.elapsed)) / 1000));
    const parts = [Math.trunc(seconds / 3600), Math.trunc(seconds / 60) % 60, seconds % 60];
    const text = parts.map((part) => String(part).padStart(2, "0")).join(":");
    if (shown.textContent !== text) shown.textContent = text;
  }
  map?.late(markLate(now()));
  const idle = Date.now() - touched > 10000 && document.visibilityState === "visible";
  if (idle && !board.contains(document.activeElement)) resort();
  const changed = changedRows().length;
  $("#changed").textContent = changed ? t("{n} changed", { n: changed }) : "";
}

// -- wall

function wall(on) {
  document.body.classList.toggle("wall", on);
  history.replaceState(null, "", on ? "?wall=1" : location.pathname);
  // Only a person's key or click may fill the screen; a wall that starts by its address is started full by its browser.
  if (on && navigator.userActivation?.isActive) document.documentElement.requestFullscreen().catch(() => {});
  if (!on && document.fullscreenElement) document.exitFullscreen();
  if (on) resort();
  requestAnimationFrame(() => { map?.resized(); map?.fitCase(); });
}

// -- begin

// What can be done follows the head: what the end would end, the tier that holds, and nothing once it is over.
function actsFollow() {
  const { ended, endPrice, tier } = $("#head").dataset;
  if (ended) {
    // A form that somebody is in the middle of stays, with what was typed; its owner says why it is refused.
    for (const act of $$('nav.actions [href^="#act-"], nav.actions [data-key="p"], details.act:not([open])')) act.remove();
    return;
  }
  const [price, held] = [$("#end-price"), $(`#act-tier:not([open]) input[value="${tier}"]`)];
  if (price) price.textContent = endPrice;
  if (held) held.checked = true;
}

// Remembered beside the list: to ask 2,000 options for their texts at each patch takes longer than to draw it.
const spots = $("#sighting-place");
const offered = new Set(spots && [...spots.options].map((one) => one.text));

function offerPlace({ dataset: { lon, lat, name, part } }) {
  if (!spots || !lon || part === "sighting" || offered.has(name)) return;
  offered.add(name);
  spots.add(new Option(name, `${lon}|${lat}|${name}`));
}

function setUpActs() {
  const open = () => {
    const wanted = location.hash.startsWith("#act-") && $(location.hash);
    if (!wanted) return;
    wanted.open = true;
    (wanted.querySelector("input:not([type=hidden]), textarea, select") ?? wanted).focus();
  };
  for (const link of $$('a[href^="#act-"]')) link.addEventListener("click", () => setTimeout(open));
  open();
  bindForms(document);
}

function setUpKeys() {
  key("j", t("Next row"), () => step(1));
  key("k", t("Row before"), () => step(-1));
  key("/", t("Find a row"), () => $("#find").focus());
  key("a", t("Send again: open the row at it"), () => openDetail("resend"));
  key("e", t("Next contact or phone: open the row at it"), () => openDetail("call"));
  key("s", t("Worst first, and take the marks off"), () => resort(true));
  key("f", t("Wall mode"), () => wall(!document.body.classList.contains("wall")));
  key("m", t("To the map"), () => $("#map").focus());
  $("#resort").addEventListener("click", () => resort(true));
  $("#wall-on").addEventListener("click", (event) => { event.preventDefault(); wall(true); });
  $("#wall-off").addEventListener("click", (event) => { event.preventDefault(); wall(false); });
  for (const name of ["pointerdown", "pointermove", "keydown", "wheel"]) {
    addEventListener(name, () => { touched = Date.now(); }, { passive: true });
  }
}

async function openMap() {
  try {
    map = await (await import("./board_map.mjs")).openMap($("#map"), board.dataset);
  } catch (error) {
    $("#map").textContent = t("The map can't be shown; the tables say the same.");
    console.warn("map", error);
  }
}

board.dataset.version = $("#head").dataset.version;
setUpRows();
setUpKeys();
setUpActs();
everySecond();
setInterval(everySecond, 1000);
if (document.body.classList.contains("wall")) wall(true);
const stream = listen(board.dataset, { onPatch, onResync, onEnded, veil, asOf });
addEventListener("pagehide", stream.close);
addEventListener("pageshow", (event) => event.persisted && location.reload());
document.documentElement.dataset.ready = "board";
requestAnimationFrame(() => setTimeout(openMap));
