// Alerts that are not sent: always in sight, tried again by themselves with the same key, dropped by nobody but a person.

import { $, Refused, age, el, post, t } from "./ground.mjs";
import { dropUnsent, keepUnsent, unsent } from "./raise_store.mjs";

const AGAIN_MS = 5000;
const AWAY = new Set([0, 502, 503, 504]);
const shelf = $("#unsent");
const sent = [];
let mend = () => {};
let trying = false;

function discard(one) {
  return (event) => {
    const button = event.target;
    if (!button.dataset.sure) {
      button.dataset.sure = "1";
      button.textContent = t("Really throw it away?");
      return;
    }
    dropUnsent(one.key);
    showUnsent();
  };
}

function row(one) {
  const again = one.mustMend
    ? el("button", { type: "button", onclick: () => {
      dropUnsent(one.key);
      showUnsent();
      mend(one);
    } }, t("Open it in the form"))
    : el("button", { type: "button", class: "go", onclick: () => tryAll() }, t("Send now"));
  const at = new Date(one.at).toISOString();
  return el("li", {}, el("strong", { class: "badge bad" }, t("NOT SENT")), " ", one.fields.place ?? "", " · ",
    el("span", { "data-age": at }, age(at)), el("p", {}, one.why), again, " ",
    el("button", { type: "button", class: "plain", onclick: discard(one) }, t("Throw away")));
}

function sentRow(one) {
  return el("li", {}, el("strong", { class: "badge good" }, t("Sent")), " ", el("a", { href: one.to }, one.place), " ", one.note ?? "");
}

// What is kept has no family and no photo: if it did arrive the first time, they make the words differ.
function cameThrough(one, earlier) {
  dropUnsent(one.key);
  const note = t("It had arrived the first time; only the answer was lost.");
  sent.push({ to: `/alerts/raised/${earlier.case_id}`, place: `${earlier.case_code} ${one.fields.place ?? ""}`, note });
  return true;
}

export function showUnsent() {
  const waiting = unsent();
  shelf.hidden = waiting.length + sent.length === 0;
  shelf.tabIndex = -1;
  if (shelf.hidden) return;
  const tree = waiting.length ? $("#call-tree").content.cloneNode(true) : "";
  const head = waiting.length ? t("Alerts not sent: {n}", { n: waiting.length }) : t("All alerts are sent");
  shelf.replaceChildren(el("h2", {}, head), tree, el("ul", {}, ...waiting.map(row), ...sent.map(sentRow)));
}

async function tryOne(one) {
  try {
    const raised = await post("/alerts/new", { ...one.fields, key: one.key });
    dropUnsent(one.key);
    sent.push({ to: raised.said.to, place: one.fields.place ?? t("Alert") });
    return true;
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    if (AWAY.has(refused.status)) return false;
    if (refused.said.code === "idempotency_key_reused" && refused.said.earlier) return cameThrough(one, refused.said.earlier);
    const isLogin = refused.status === 401 || refused.said.code === "form_refused";
    const why = isLogin ? t("Log in again; the alert is kept.") : refused.message;
    if (why !== one.why) keepUnsent({ ...one, why, mustMend: !isLogin });
    return why !== one.why;
  }
}

async function tryAll() {
  if (trying) return;
  trying = true;
  let changed = false;
  for (const one of unsent()) changed = (!one.mustMend && await tryOne(one)) || changed;
  trying = false;
  if (changed) showUnsent();
}

export function watchUnsent(openInForm) {
  mend = openInForm;
  showUnsent();
  setInterval(tryAll, AGAIN_MS);
  addEventListener("online", tryAll);
  addEventListener("storage", showUnsent);
  tryAll();
}
