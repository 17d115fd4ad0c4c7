// The bar above every page: open cases in red, and how old what we show is. Nothing vanishes while we can't ask.

import { $, $$, beijing, t, serverTime } from "./ground.mjs";

const EVERY_MS = 10000;
const FRESH_MS = 15000;
const shelf = $("#banner");
let failures = 0;

const ask = (path, accept) => fetch(path, { headers: { Accept: accept }, signal: AbortSignal.timeout(8000) });
const named = (root) => $$("a", root).map((link) => `${link.getAttribute("href")} ${$("strong", link)?.textContent}`).join("|");

// Only another list of cases is put in place: whoever stands on a link with the keyboard stays there.
function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  if (named(fresh) === named(shelf)) return;
  const stood = shelf.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  shelf.replaceChildren(...fresh.childNodes);
  if (stood) $$("a", shelf).find((link) => link.getAttribute("href") === stood)?.focus();
}

function showAge(said) {
  const chip = $("#age");
  // Offsets are told to the broker now and then: what waits for seconds is no sign of age.
  const whole = said.waiting !== null && said.as_of && Date.parse(said.at) - Date.parse(said.as_of) < FRESH_MS;
  chip.className = `badge ${whole && !said.set_aside ? "good" : "warn"}`;
  const age = whole ? t("up to date") : said.as_of ? t("data as of {time}", { time: beijing(said.as_of) }) : t("age unknown");
  // Who runs the node mends them: `guitu dlq`.
  chip.textContent = said.set_aside ? `${age} · ${t("{n} messages could not be read", { n: said.set_aside })}` : age;
  chip.hidden = false;
}

async function look() {
  try {
    const [banner, age] = await Promise.all([ask("/banner", "text/html"), ask("/age", "application/json")]);
    if (!banner.ok || banner.redirected) throw new Error(`${banner.status}`);
    serverTime(banner.headers.get("x-now"));
    show(await banner.text());
    if (age.ok) showAge(await age.json());
    failures = 0;
  } catch {
    failures += 1;
  }
  const lost = $("#lost");
  lost.hidden = failures < 2;
  lost.textContent = failures < 2 ? "" : t("No connection to the server: what you see may be old.");
  if (failures >= 2) $("#age").hidden = true;
}

look();
setInterval(() => document.visibilityState === "visible" && look(), EVERY_MS);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && look());

// What somebody was typing of an alert, and the page that keeps it, are not left behind for the next person.
$('form[action="/logout"]')?.addEventListener("submit", () => {
  localStorage.removeItem("guitu.raise.draft");
  globalThis.caches?.delete("guitu-raise");
});
