// What opens from a row: the same page as without JavaScript, in a dialog; its buttons act and say what was done.

import { $, $$, post, say, t, key } from "./ground.mjs";
import { chosenRow } from "./board_rows.mjs";

const dialog = $("#detail");
// The row that it opened from, by name: it may be drawn anew meanwhile.
let from = "";
const DONE = () => ({
  moved: t("The unit's answer was entered."), resend: t("Queued once more; the row shows when it went."),
  "next-contact": t("The next contact is asked."), call: t("Our voice calls them."),
  call_by_hand: t("This call is a person's task now."),
});

async function show(href, wanted = "") {
  const address = new URL(href, location.href);
  address.searchParams.set("bare", "1");
  const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return location.assign(href);
  dialog.innerHTML = await answer.text();
  const close = document.createElement("button");
  close.type = "button";
  close.className = "plain";
  close.textContent = t("Close");
  close.addEventListener("click", () => dialog.close());
  dialog.append(close);
  bindForms(dialog);
  if (!dialog.open) dialog.showModal();
  const target = wanted && $(`form[action$="/${wanted}"] button`, dialog);
  (target || $("button, a", dialog)).focus();
}

export function openDetail(wanted) {
  const link = chosenRow() && $("a.opens", chosenRow());
  if (link) show(link.href, wanted);
  else say(t("Choose a row first, with J and K."), "note");
}

export function bindForms(root) {
  for (const form of $$('form[action*="/deliveries/"], form[action*="/orders/"]', root)) {
    form.addEventListener("submit", (event) => { event.preventDefault(); act(form); });
  }
}

async function act(form) {
  const button = $("button", form);
  button.disabled = true;
  try {
    const { said } = await post(form.getAttribute("action"), new FormData(form));
    say(DONE()[said.done] ?? t("Done."), "done");
    const number = form.getAttribute("action").match(/^(.*\/deliveries\/[^/]+)\/call$/);
    if (said.done === "call_by_hand" && number) await show(`${number[1]}/contacts`);
    else dialog.close();
  } catch (refused) {
    // The same key goes with the next try, so what did get through is not done twice.
    say(refused.message, "refused");
  } finally {
    button.disabled = false;
    delete form.dataset.sent;
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.opens, #detail a.contacts");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  if (!dialog.contains(link)) from = link.closest("[data-rows] > [id]")?.id ?? "";
  show(link.href);
});

dialog.addEventListener("close", () => $("a.opens", document.getElementById(from) ?? dialog)?.focus());
document.addEventListener("row-chosen", (event) => { from = event.detail?.id ?? ""; });
key("Enter", t("Open the row"), () => openDetail(""), { when: () => document.activeElement === document.body });
