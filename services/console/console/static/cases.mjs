// The list of cases stays as it is on screen; rows that change are marked, new ones come on top, nothing vanishes.

import { $, beijing, t, serverTime, silence } from "./ground.mjs";

const page = $("#cases");
const open = $("#open tbody");
let seq = Number(page.dataset.seq);
let saidAt = null;
let stream = null;
let over = false;
const quiet = silence();
const asOf = $("#as-of");

function row(html) {
  const shelf = document.createElement("template");
  shelf.innerHTML = html.trim();
  return shelf.content.firstElementChild;
}

function take(patch) {
  for (const said of patch.rows) {
    const fresh = row(said.html);
    const known = document.getElementById(fresh.id);
    fresh.classList.add("changed");
    if (known) known.replaceWith(fresh);
    else open.prepend(fresh);
  }
  $("#none-open").hidden = open.rows.length > 0;
  $("#open-count").textContent = open.querySelectorAll("tr:not(.ended)").length;
  seq = patch.seq;
}

function heard(event) {
  const said = JSON.parse(event.data);
  saidAt = said.at;
  quiet.heard();
  page.classList.remove("veiled");
  $("#no-news").hidden = true;
  serverTime(said.at);
  if (said.facts_at) {
    asOf.dateTime = said.facts_at;
    asOf.textContent = beijing(said.facts_at);
  }
  return said;
}

function end() {
  over = true;
  stream.close();
}

function listen() {
  stream?.close();
  if (over) return;
  stream = new EventSource(`${page.dataset.live}?after=${seq}`);
  stream.addEventListener("patch", (event) => take(heard(event)));
  stream.addEventListener("beat", heard);
  stream.addEventListener("resync", () => { end(); location.reload(); });
  stream.addEventListener("ended", () => { end(); location.assign("/login?to=/cases"); });
  // A browser gives up for good when the answer is no stream, as during a restart; then we ask again ourselves.
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 2000 + Math.random() * 2000);
  });
}

setInterval(() => {
  // A connection can be dead without saying so: after thrice the silence it is opened anew.
  if (quiet.ms() > 30000) { quiet.heard(10001); listen(); }
  if (quiet.ms() < 10000) return;
  page.classList.add("veiled");
  $("#no-news").hidden = false;
  const known = asOf.dateTime ? asOf.textContent : beijing(saidAt ?? quiet.since());
  $("#no-news").textContent = `${t("No news from the server: data as of")} ${known}`;
}, 1000);

listen();
