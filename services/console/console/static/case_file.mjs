// The case file: an identity that hides itself, a key for a note, and a fold that opens where the address points.

import { $, $$, key, now, t } from "./ground.mjs";

for (const shown of $$("[data-hide-after]")) {
  const until = now() + Number(shown.dataset.hideAfter) * 1000;
  const left = shown.appendChild(document.createElement("p"));
  left.className = "quiet num";
  const hide = () => {
    // Taken out of the page at once, even if the way back to it is slow.
    shown.remove();
    location.replace(shown.dataset.hiddenAt);
  };
  const tick = setInterval(() => {
    const seconds = Math.ceil((until - now()) / 1000);
    left.textContent = t("Hidden in {n} s", { n: Math.max(0, seconds) });
    if (seconds <= 0) {
      clearInterval(tick);
      hide();
    }
  }, 1000);
  // A page that the browser kept for "back" must not show it again.
  addEventListener("pagehide", () => shown.remove());
}

key("w", t("Write a note"), () => $("#note-words")?.focus(), { when: () => Boolean($("#note-words")) });
key("b", t("To the live board"), () => { location.href = location.pathname.replace(/\/(file|identity)$/, ""); });
