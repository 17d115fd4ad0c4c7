// After the alert: 30 s to take it back, counted down in sight; the key Z does it.

import { $, key, now, t } from "./ground.mjs";

const part = $("#undo-part");
if (part) {
  const until = now() + 1000 * Number(part.dataset.left);
  const tick = () => {
    const left = Math.round((until - now()) / 1000);
    $("#left").textContent = t("{n} s left", { n: Math.max(0, left) });
    if (left > 0) return;
    clearInterval(timer);
    part.hidden = true;
    $("#late").hidden = false;
  };
  const timer = setInterval(tick, 500);
  key("z", t("Take the alert back"), () => $("#undo").requestSubmit(), { when: () => !part.hidden });
}
$("#board")?.focus();
