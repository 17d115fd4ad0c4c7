// Raising an alert: type-ahead, live preview, a draft that survives a reload, Ctrl+Enter, and alerts that wait.

import { $, $$, Refused, beijing, el, now, post, serverTime, t } from "./ground.mjs";
import { placeFields, typeAhead } from "./raise_places.mjs";
import { draftOf, dropDraft, keepDraft, keepUnsent, keepable, newKey } from "./raise_store.mjs";
import { showUnsent, watchUnsent } from "./raise_unsent.mjs";

const PREVIEW_WAIT_MS = 350;
const AWAY = new Set([0, 502, 503, 504]);
const form = $("#raise");
const field = (name) => form.elements.namedItem(name);
let agoFrom = now();
let previewTimer = 0;
let asked = 0;
let sending = false;

// -- the draft

function keep() {
  const fields = keepable(form);
  if (!fields.place && !fields.appearance && !fields.age_years) return;
  const kept = keepDraft({ owner: form.dataset.owner, key: field("key").value, agoFrom, fields });
  $("#draft").textContent = kept ? t("Kept in this browser.") : "";
}

function fill(fields) {
  for (const [name, said] of Object.entries(fields)) {
    const found = field(name);
    if (found instanceof RadioNodeList) {
      for (const one of found) one.checked = one.value === said;
    } else if (found?.type === "checkbox") found.checked = true;
    else if (found) found.value = said;
  }
  if (fields.lon) field("place").dataset.chosen = "1";
}

function restore() {
  const draft = draftOf(form.dataset.owner);
  if (!draft || field("place").value || field("appearance").value) return;
  fill(draft.fields);
  field("key").value = draft.key;
  agoFrom = draft.agoFrom;
  $("#draft").textContent = t("This is what you had typed before.");
  previewSoon();
}

function startAnew() {
  dropDraft();
  form.reset();
  for (const one of placeFields(form)) one.value = "";
  delete field("place").dataset.chosen;
  field("key").value = newKey();
  agoFrom = now();
  showSeen();
  $("#draft").textContent = "";
  $("#trouble").replaceChildren();
  $("#preview").replaceChildren();
}

// -- when and where

const seenAt = () => new Date(agoFrom - 60000 * Number(field("ago").value || 30)).toISOString();

function showSeen() {
  $("#seen").textContent = field("exact").value ? "" : t("that is {time}", { time: beijing(seenAt()).slice(0, 5) });
}

function chosen(place) {
  const input = field("place");
  if (!place && !input.dataset.chosen) return;
  const said = place ? [place.lon, place.lat, place.township_code, place.said] : ["", "", "", ""];
  placeFields(form).forEach((one, at) => { one.value = said[at]; });
  if (place) input.dataset.chosen = "1";
  else delete input.dataset.chosen;
  keep();
  previewSoon();
}

// -- the preview

function previewSoon() {
  clearTimeout(previewTimer);
  previewTimer = setTimeout(preview, PREVIEW_WAIT_MS);
}

async function preview() {
  const shown = $("#preview");
  if (!field("place").value.trim()) return;
  const mine = ++asked;
  shown.setAttribute("aria-busy", "true");
  try {
    const answer = await post("/alerts/preview", fields());
    if (mine !== asked) return;
    serverTime(answer.said.now);
    shown.innerHTML = answer.said.html;
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    if (mine === asked) shown.replaceChildren(el("p", { class: "empty" }, t("Not known: {why}", { why: refused.message })));
  }
  shown.removeAttribute("aria-busy");
}

function fields({ photo = false } = {}) {
  const said = new FormData(form);
  said.set("seen_at", seenAt());
  if (!photo) said.delete("photo");
  return said;
}

// -- sending

function wrong(name, says) {
  const box = $(`#f-${name}`);
  const target = box?.matches("fieldset") ? $("input", box) : box;
  return el("li", {}, el("a", { href: `#f-${name}`, onclick: (event) => {
    event.preventDefault();
    target?.focus();
  } }, says));
}

function explain(said) {
  $$("[aria-invalid]", form).forEach((one) => one.removeAttribute("aria-invalid"));
  const known = (said.fields ?? []).filter((each) => $(`#f-${each.field}`));
  const list = known.map((each) => wrong(each.field, each.says));
  const text = list.length ? t("Not raised yet:") : t("Not raised: {why}", { why: said.why });
  const box = el("div", { class: "refused", role: "alert", id: "errors" }, el("p", {}, text), el("ul", {}, ...list));
  if (said.code === "idempotency_key_reused") box.append(alreadySent(said.earlier));
  $("#trouble").replaceChildren(box);
  const first = known.length ? $(`#f-${known[0].field}`) : null;
  for (const each of known) $(`#f-${each.field}`).setAttribute("aria-invalid", "true");
  (first?.matches("fieldset") ? $("input", first) : first)?.focus();
}

function alreadySent(earlier) {
  const again = () => {
    field("key").value = newKey();
    keep();
    $("#trouble").replaceChildren();
  };
  return el("p", {}, t("This form was sent before with other words: look at the open cases first."), " ",
    el("a", { href: earlier ? `/alerts/raised/${earlier.case_id}` : "/cases" }, earlier?.case_code ?? t("Open cases")), " ",
    el("button", { type: "button", onclick: again }, t("It is another child")));
}

function waitForConnection(why) {
  const one = { key: field("key").value, fields: { ...keepable(form), seen_at: seenAt() }, at: now(), why };
  if (!keepUnsent(one)) return explain({ why: t("There is no connection, and this browser can't keep the alert.") });
  startAnew();
  showUnsent();
  $("#unsent").focus();
}

async function send() {
  if (sending) return;
  sending = true;
  $("#send").setAttribute("aria-disabled", "true");
  try {
    const raised = await post("/alerts/new", fields({ photo: true }));
    dropDraft();
    location.assign(raised.said.to);
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    if (AWAY.has(refused.status)) waitForConnection(refused.message);
    else explain({ ...refused.said, why: refused.message });
  } finally {
    sending = false;
    $("#send").removeAttribute("aria-disabled");
  }
}

// -- everything together

typeAhead(field("place"), $("#place-list"), chosen);
form.addEventListener("input", () => {
  keep();
  showSeen();
  previewSoon();
});
form.addEventListener("change", (event) => {
  if (event.target.name === "ago") agoFrom = now();
  showSeen();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    send();
  }
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.submitter?.id === "look") preview();
  else send();
});

if (document.body.dataset.kept) {
  serverTime(new Date().toISOString());
  agoFrom = now();
  field("key").value = newKey();
  $("#kept").hidden = false;
}
restore();
showSeen();
// Somebody typed before this script was here: look for the place now.
if (document.activeElement === field("place") && field("place").value.trim() && !field("place").dataset.chosen)
  field("place").dispatchEvent(new Event("input", { bubbles: true }));
watchUnsent((one) => {
  fill(one.fields);
  field("key").value = one.key;
  agoFrom = Date.parse(one.fields.seen_at) + 60000 * Number(one.fields.ago || 30);
  keep();
  field("place").focus();
});
navigator.serviceWorker?.register("/alerts/worker.js", { scope: "/alerts/" }).catch(() => {});
