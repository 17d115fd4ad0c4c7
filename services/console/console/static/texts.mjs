// Tries a message text while it is written; without this the button "Try it" does it.

import { $, Refused, key, say, t } from "./ground.mjs";

const form = $("#text-form");
const shown = $("#preview");
const PAUSE_MS = 400;
let waiting = 0;
let turn = 0;

async function tryIt() {
  const mine = ++turn;
  try {
    const answer = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)),
      headers: { Accept: "application/json" }, signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Refused(answer.status, await answer.json());
    const text = await answer.text();
    if (mine === turn) shown.innerHTML = text;
  } catch (refused) {
    if (mine === turn) say(refused instanceof Refused ? refused.message : t("The server does not answer."), "refused");
  }
}

form.body.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(tryIt, PAUSE_MS);
});
form.addEventListener("keydown", (event) => {
  if (event.ctrlKey && event.key === "Enter") form.requestSubmit(form.querySelector("button.go") ?? form.querySelector("button"));
});
key("e", t("Edit the text"), () => form.body.focus());
