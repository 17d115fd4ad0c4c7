// Triage by keyboard: j/k to the next sighting, 1/2/3 to judge it, Enter to its case, r to write a reason.
// A judgement stays on the page with its new state; nothing moves or disappears under the finger.

import { $, $$, key, post, Refused, say, t } from "./ground.mjs";

const rows = () => $$("#triage > li");
let at = null;

function go(row) {
  if (!row) return;
  at?.classList.remove("at");
  at = row;
  row.classList.add("at");
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  go(at ? all[Math.min(all.length - 1, Math.max(0, all.indexOf(at) + by))] : all[0]);
}

async function judge(row, button) {
  const form = $("form.judge", row);
  const buttons = $$("button", form);
  for (const each of buttons) each.disabled = true;
  try {
    await post(form.action, { verdict: button.value, reason: form.elements.reason.value });
    for (const each of buttons) each.toggleAttribute("aria-pressed", false);
    button.setAttribute("aria-pressed", "true");
    const shown = $(".row > span > .badge", row);
    shown.className = $(".badge", button).className;
    shown.textContent = $(".badge", button).textContent;
    row.classList.add("judged");
    say(t("Judged: {verdict}", { verdict: button.textContent.trim() }), "done");
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    say(refused.message, "refused");
  } finally {
    for (const each of buttons) each.disabled = false;
  }
}

for (const row of rows()) {
  row.addEventListener("focusin", () => { if (at !== row) { at?.classList.remove("at"); at = row; row.classList.add("at"); } });
  $("form.judge", row).addEventListener("submit", (event) => {
    event.preventDefault();
    judge(row, event.submitter ?? $("button", row));
  });
}

key("j", t("Next sighting"), () => step(1));
key("k", t("Sighting before"), () => step(-1));
const verdicts = [t("Judge as credible"), t("Judge as uncertain"), t("Judge as refuted")];
verdicts.forEach((meaning, n) => key(String(n + 1), meaning, () => judge(at, $$("form.judge button", at)[n]), { when: () => Boolean(at) }));
key("r", t("Write a reason"), () => $("input[name=reason]", at)?.focus(), { when: () => Boolean(at) });
key("Enter", t("Open its case"), () => { location.href = at.dataset.case; }, { when: () => Boolean(at) && document.activeElement === at });

// New ones are announced and not pushed in; the person decides when the list changes.
async function look() {
  try {
    const answer = await fetch("/sightings/newest", { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(8000) });
    if (!answer.ok) return;
    const { waiting } = await answer.json();
    const known = new Set(rows().map((row) => row.dataset.id));
    const many = waiting.filter((id) => !known.has(id)).length;
    const shelf = $("#newer");
    shelf.hidden = !many;
    if (many) {
      const link = document.createElement("a");
      link.href = location.href;
      link.textContent = t("{n} new: show them", { n: many });
      shelf.replaceChildren(link);
    }
  } catch {
    // The bar says that the connection is lost; the next look comes by itself.
  }
}
setInterval(look, 10000);
