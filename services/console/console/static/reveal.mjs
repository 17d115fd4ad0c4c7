// Hides what was revealed after its time, counted on the page: a screen that is left alone must not tell it on.
import { $ } from "./ground.mjs";

const revealed = $("[data-hide-after]");
if (revealed) {
  const seconds = Number(revealed.dataset.hideAfter);
  setTimeout(() => {
    // Removed and not only hidden, so that nothing on the page can bring it back.
    revealed.remove();
    $("#hidden-again").hidden = false;
  }, seconds * 1000);
}
// A page that comes back from the browser's memory would show it again.
addEventListener("pageshow", (event) => event.persisted && location.replace("/dna/reveal"));
