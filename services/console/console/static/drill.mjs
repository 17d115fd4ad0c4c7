// A drill that goes on: its steps are asked for again every 2 s, and stay as they are while nobody answers.

import { $, serverTime } from "./ground.mjs";

const EVERY_MS = 2000;
const shelf = $("#steps");

// The link that had the focus has it again.
function show(html) {
  const focused = shelf.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  shelf.innerHTML = html;
  shelf.dataset.text = html;
  if (focused) $(`a[href="${focused}"]`, shelf)?.focus();
}

async function look() {
  if (document.visibilityState !== "visible") return;
  try {
    const answer = await fetch(shelf.dataset.steps, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(8000) });
    if (!answer.ok) return;
    const said = await answer.json();
    serverTime(said.now);
    if (shelf.dataset.text !== said.html) show(said.html);
    if (!said.over) return;
    clearInterval(timer);
    $("#stop")?.remove();
  } catch {
    // The bar above says that there is no connection; the next look may find one.
  }
}

const timer = shelf.dataset.over ? 0 : setInterval(look, EVERY_MS);
