// The bar above every page: open cases in red, alarms, and how old what we show is. Nothing vanishes while we can't ask.

import { $, t, serverTime } from "./ground.mjs";

const EVERY_MS = 10000;
const shelf = $("#banner");
let failures = 0;

async function look() {
  try {
    const answer = await fetch("/banner", { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(8000) });
    if (!answer.ok || answer.redirected) throw new Error(`${answer.status}`);
    const text = await answer.text();
    if (shelf.dataset.text !== text) shelf.innerHTML = text;
    shelf.dataset.text = text;
    serverTime(answer.headers.get("x-now"));
    failures = 0;
  } catch {
    failures += 1;
  }
  const lost = $("#lost");
  lost.hidden = failures < 2;
  lost.textContent = failures < 2 ? "" : t("No connection to the server: what you see may be old.");
}

setInterval(() => document.visibilityState === "visible" && look(), EVERY_MS);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && look());

// What somebody was typing of an alert, and the page that keeps it, are not left behind for the next person.
$('form[action="/logout"]')?.addEventListener("submit", () => {
  localStorage.removeItem("guitu.raise.draft");
  globalThis.caches?.delete("guitu-raise");
});
