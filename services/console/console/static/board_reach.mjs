// How far they can have come: after 15, 30, 45 and 60 minutes, and at the time that the slider asks for; in words too.

import { polygons } from "./board_shapes.mjs";
import { $, beijing, el, language, t } from "./ground.mjs";

const zh = language !== "en";
const EVERY_MS = 60000;
const TOWNS_SHOWN = 12;

export function openReach(boardMap, caseId) {
  const slider = $("#ahead");
  const said = $("#reach-said");
  const layer = L.layerGroup().addTo(boardMap.map);
  let shown = null;
  let waiting = 0;
  let asked = 0;
  let mark = headMark();

  function headMark() {
    const { version, plan, sightings } = $("#head").dataset;
    return `${version} ${plan} ${sightings}`;
  }

  async function ask() {
    clearTimeout(waiting);
    waiting = setTimeout(ask, EVERY_MS);
    const mine = (asked += 1);
    const path = `/cases/${caseId}/reach.json?ahead=${slider.value}`;
    const answer = await fetch(path, { headers: { Accept: "application/json" } }).catch(() => null);
    if (mine !== asked) return;
    if (!answer?.ok || answer.redirected) {
      said.textContent = t("Where they can be is not known now: dispatch has not answered.");
      return;
    }
    shown = await answer.json();
    draw();
    words();
  }

  function draw() {
    layer.clearLayers();
    const { look, renderers } = boardMap;
    const style = { pane: "reach", renderer: renderers.reach, interactive: false, color: look.warn, fillColor: look.warn };
    [...shown.areas].reverse().forEach((area, place) => {
      L.polygon(polygons(area.rings), { ...style, weight: 1, opacity: 0.7, dashArray: `${8 - 2 * place} 4`, fillOpacity: 0.07 }).addTo(layer);
    });
    if (shown.then) L.polygon(polygons(shown.then.rings), { ...style, weight: 2, color: look.bad, fillColor: look.bad, fillOpacity: 0.05 }).addTo(layer);
    boardMap.labels.set("reach", shown.areas.map((area) => ({ at: north(area.rings), text: t("{n} min", { n: area.minutes }), rank: 5, colour: look.warn })).filter((one) => one.at));
  }

  const north = (rings) => polygons(rings).flat(2).reduce((top, [lat, lon]) => (!top || lat > top[1] ? [lon, lat] : top), null);

  function words() {
    const by = beijing(shown.asked_at).slice(0, 5);
    const parts = [];
    if (shown.then) {
      const towns = shown.then.towns.map(([one, other]) => (zh ? one : other));
      const more = towns.length > TOWNS_SHOWN ? "…" : "";
      parts.push(el("p", {}, el("strong", {}, t("By {time} they can be in {n} towns:", { time: by, n: shown.then.towns_in_all })), ` ${towns.slice(0, TOWNS_SHOWN).join(", ")}${more}`));
    } else {
      parts.push(el("p", {}, t("By then they can be anywhere: more than a day has passed.")));
    }
    const open = boardMap.openExits.filter((one) => one.from && Date.parse(one.from) <= Date.parse(shown.asked_at));
    parts.push(el("p", {}, t("Open ways out that can be reached by then: {n}", { n: open.length }), open.length ? ` (${open.map((one) => (zh ? one.zh : one.en)).join(", ")})` : ""));
    said.replaceChildren(...parts);
  }

  slider.addEventListener("input", () => {
    $("#ahead-said").textContent = slider.value;
    clearTimeout(waiting);
    waiting = setTimeout(ask, 150);
  });
  ask();
  return {
    repaint: () => shown && draw(),
    headChanged() {
      if (mark === headMark()) return;
      mark = headMark();
      clearTimeout(waiting);
      waiting = setTimeout(ask, 500);
    },
  };
}
