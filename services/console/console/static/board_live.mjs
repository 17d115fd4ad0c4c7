// The stream of one case: patches, beats, resync; and the veil when no beat comes. The protocol is told in live.py.

import { serverTime, silence } from "./ground.mjs";

const SILENT_MS = 10000;
const AGAIN_MS = [500, 1000, 2000, 4000, 8000];

export function listen(board, { onPatch, onResync, onEnded, veil, asOf }) {
  let source = null;
  let seq = Number(board.seq);
  const quiet = silence();
  let saidAt = null;
  let factsAt = board.asOf ?? null;
  let failures = 0;
  let retry = 0;
  let closed = false;

  function alive(said) {
    quiet.heard();
    failures = 0;
    if (said.at) { saidAt = said.at; serverTime(said.at); }
    if (said.facts_at) { factsAt = said.facts_at; asOf(factsAt); }
    veil(null);
  }

  function open() {
    clearTimeout(retry);
    source?.close();
    if (closed) return;
    source = new EventSource(`/cases/${board.case}/live?after=${seq}`);
    source.addEventListener("patch", (event) => {
      const patch = JSON.parse(event.data);
      // After a cut the browser asks from its last id on; what is older than the page must not be told again. A head
      // that was owed comes with the number of the change that it was owed for, which the page has already.
      if (patch.seq < seq) return;
      seq = patch.seq;
      alive(patch);
      onPatch(patch);
    });
    source.addEventListener("beat", (event) => alive(JSON.parse(event.data)));
    source.addEventListener("resync", readAnew);
    source.addEventListener("ended", () => { close(); onEnded(); });
    // A stream that was cut is opened again by the browser itself; one that was refused is given up, and is ours.
    source.addEventListener("error", () => source.readyState === EventSource.CLOSED && later(open));
  }

  function later(act) {
    clearTimeout(retry);
    const wait = AGAIN_MS[Math.min(failures, AGAIN_MS.length - 1)];
    failures += 1;
    retry = setTimeout(act, wait * (0.75 + Math.random() / 2));
  }

  async function readAnew() {
    source?.close();
    try {
      seq = await onResync();
      failures = 0;
      open();
    } catch {
      later(readAnew);
    }
  }

  function close() {
    closed = true;
    clearTimeout(retry);
    source?.close();
  }

  setInterval(() => {
    if (quiet.ms() > SILENT_MS) veil(factsAt ?? saidAt ?? quiet.since());
    // A connection can be dead without saying so: after thrice the silence it is opened anew.
    if (!closed && quiet.ms() > 3 * SILENT_MS) { quiet.heard(SILENT_MS + 1); open(); }
  }, 1000);
  open();
  return { close };
}
