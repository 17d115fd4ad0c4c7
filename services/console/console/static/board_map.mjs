// The map beside the tables: the county, where the child can be by when, ways out, units, and every row that has a place.
//
// Drawn by Leaflet on canvas: no GPU is needed, and nothing is asked of another host. Rows of the tables are what is
// read; the map adds nothing that the tables and "In words" do not say.

import { $, $$, el, language, now, t } from "./ground.mjs";
import { Labels, colours, mark, points, polygons, stateMark } from "./board_shapes.mjs";
import { openReach } from "./board_reach.mjs";

const zh = language !== "en";
const ROAD_WIDTH = { expressway: 3, motorway: 3, trunk: 2.5, national: 2.2, primary: 2.2, county: 1.4, secondary: 1.4,
  rail_line: 1.4, ferry_line: 1.6, ferry: 1.6 };
const UNITS_EVERY_MS = 30000;

function load(tag, attributes) {
  return new Promise((resolve, reject) => {
    document.head.append(el(tag, { ...attributes, onload: resolve, onerror: () => reject(new Error("not loaded")) }));
  });
}

async function json(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (!answer.ok || answer.redirected) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

export async function openMap(box, board) {
  const [base] = await Promise.all([
    json(`/map/${board.region}.json`),
    load("script", { src: box.dataset.leaflet }),
  ]);
  box.replaceChildren();
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", t("Map of the case; the tables say the same"));
  return new BoardMap(box, board, base);
}

const latlng = ([lon, lat]) => [lat, lon];

class BoardMap {
  constructor(box, board, base) {
    this.board = board;
    this.base = base;
    this.marks = new Map();
    this.look = colours();
    this.map = L.map(box, { preferCanvas: true, zoomAnimation: false, fadeAnimation: false, zoomSnap: 0.5, minZoom: 7,
      maxZoom: 16, zoomControl: false, attributionControl: false });
    L.control.zoom({ zoomInTitle: t("Nearer"), zoomOutTitle: t("Farther") }).addTo(this.map);
    const about = [base.schematic ? t("Road network: a drawing, not a survey") : "", t("Outline: schematic, not an official map")];
    L.control.attribution({ prefix: false }).addAttribution(about.filter(Boolean).join(" · ")).addTo(this.map);
    for (const [name, z] of [["base", 300], ["reach", 350], ["marks", 420]]) this.map.createPane(name).style.zIndex = z;
    this.renderers = Object.fromEntries(["base", "reach", "marks"].map((pane) => [pane, L.canvas({ pane, padding: 0.2 })]));
    this.labels = new Labels().addTo(this.map);
    this.map.setView(latlng(this.centre()), 11);
    this.drawBase();
    this.readAll();
    this.fitCase();
    this.reach = openReach(this, board.case);
    this.units = L.layerGroup().addTo(this.map);
    this.askUnits();
    setInterval(() => document.visibilityState === "visible" && this.askUnits(), UNITS_EVERY_MS);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
    document.addEventListener("row-chosen", (event) => this.choose(event.detail));
    new ResizeObserver(() => this.resized()).observe(box);
    this.legend();
  }

  centre() {
    const head = $("#head").dataset;
    return [Number(head.lon), Number(head.lat)];
  }

  resized() { this.map.invalidateSize({ pan: false }); }

  fitCase() {
    const county = this.base.outlines.filter((one) => one.ours).map((one) => L.latLngBounds(polygons(one.rings).flat(2)));
    const bounds = county.length ? county[0] : L.latLngBounds(this.base.roads.flatMap(([, ...trail]) => points(trail)));
    if (bounds.isValid()) this.map.fitBounds(bounds, { animate: false, padding: [4, 4] });
  }

  // -- the county

  drawBase() {
    const { base, look, renderers } = this;
    this.ground = L.layerGroup().addTo(this.map);
    const quiet = { pane: "base", renderer: renderers.base, interactive: false };
    for (const one of base.outlines) {
      const style = { ...quiet, color: look.edge, weight: one.ours ? 2 : 1, fill: one.ours, fillColor: look.card, fillOpacity: one.ours ? 1 : 0 };
      L.polygon(polygons(one.rings), style).addTo(this.ground);
    }
    for (const [kind, ...trail] of base.roads) {
      const water = kind.startsWith("ferry");
      L.polyline(points(trail), { ...quiet, color: water ? look.info : look.road, weight: ROAD_WIDTH[kind] ?? 1,
        dashArray: water ? "4 4" : kind === "rail_line" ? "8 3" : null }).addTo(this.ground);
    }
    this.labels.set("town", base.towns.map((town) => ({ at: town.at, text: zh ? town.zh : town.en, rank: 1, colour: look.quiet })));
  }

  // -- rows of the tables

  readAll() {
    for (const found of this.marks.values()) found.remove();
    this.marks.clear();
    this.readHead();
    this.drawPlaces();
    for (const row of $$("#panes [data-lon]")) this.row(row);
    this.relabel();
  }

  touch(rows, headToo) {
    if (headToo) this.readHead();
    for (const row of rows) if (row.dataset.lon) this.row(row);
    this.relabel();
    if (headToo) this.reach?.headChanged();
  }

  late(rows) {
    for (const row of rows) this.row(row);
    if (rows.length) this.relabel();
  }

  row(row) {
    const sign = stateMark(row.dataset.part, row.dataset.state, row.classList.contains("is-late"));
    this.put(row.id, [Number(row.dataset.lon), Number(row.dataset.lat)], sign, row.dataset.name, row.id);
  }

  put(id, at, sign, name, rowId = "") {
    const before = this.marks.get(id);
    if (before) {
      const moved = before.options.at[0] !== at[0] || before.options.at[1] !== at[1];
      if (moved) before.setLatLng(latlng(at));
      Object.assign(before.options, { at, sign, name });
      before.redraw();
      return before;
    }
    const made = mark(latlng(at), { at, sign, name, look: () => this.look, radius: sign.size, pane: "marks", renderer: this.renderers.marks });
    made.bindTooltip(() => this.told(made.options), { direction: "top" });
    if (rowId) made.on("click", () => this.goToRow(rowId));
    this.marks.set(id, made.addTo(this.map));
    return made;
  }

  told({ name, sign }) { return el("span", {}, `${name} – ${sign.text}`); }

  goToRow(id) {
    const row = document.getElementById(id);
    if (!row) return;
    row.hidden = false;
    row.scrollIntoView({ block: "center" });
    $("a", row)?.focus({ preventScroll: true });
  }

  // -- the head: last seen, ring, ways out

  readHead() {
    const head = $("#head").dataset;
    this.put("seen", this.centre(), stateMark("seen", ""), t("Last seen"));
    this.ring?.remove();
    const style = { pane: "reach", renderer: this.renderers.reach, interactive: false, fill: false, color: this.look.go, weight: 1.5, dashArray: "2 6" };
    const at = [Number(head.ringLat), Number(head.ringLon)];
    this.ring = L.layerGroup([head.ringKm, head.nearKm].filter(Boolean).map((km) => L.circle(at, { ...style, radius: km * 1000 }))).addTo(this.map);
    const open = new Map($$("#head [data-exit]").map((one) => [one.dataset.exit, one.dataset.from ?? ""]));
    for (const one of this.base.exits) {
      const sign = stateMark("exit", open.has(one.exit_id) ? "open" : "closed");
      this.put(`exit-${one.exit_id}`, one.at, sign, zh ? one.zh : one.en);
    }
    this.openExits = this.base.exits.filter((one) => open.has(one.exit_id)).map((one) => ({ ...one, from: open.get(one.exit_id) }));
  }

  drawPlaces() {
    for (const [n, place] of this.base.places.entries()) this.put(`place-${n}`, place.at, stateMark("place", ""), zh ? place.zh : place.en);
  }

  relabel() {
    const wanted = [];
    // What is grave lies on top of what is not; canvas draws in the order in which signs came.
    for (const made of this.marks.values()) if (made.options.sign.label >= 6) made.bringToFront();
    for (const { options } of this.marks.values()) {
      if (options.sign.label) wanted.push({ at: options.at, text: options.name, rank: options.sign.label, colour: this.look[options.sign.colour] });
    }
    this.labels.set("marks", wanted);
  }

  // -- units

  async askUnits() {
    const units = await json(`/cases/${this.board.case}/units.json`).catch(() => null);
    if (!units) return;
    const seen = new Set(units.map((unit) => `unit-${unit.code}`));
    for (const unit of units) {
      const state = unit.busy || (unit.on_duty && unit.status === "available" ? "free" : "off");
      this.put(`unit-${unit.code}`, unit.at, stateMark("unit", state), `${unit.code} ${zh ? unit.name_zh : unit.name_en}`);
    }
    for (const [id, made] of this.marks) {
      if (id.startsWith("unit-") && !seen.has(id)) { made.remove(); this.marks.delete(id); }
    }
  }

  // -- looks

  choose(row) {
    this.ringed?.remove();
    const made = row && this.marks.get(row.id);
    if (!made) return;
    this.ringed = L.circleMarker(made.getLatLng(), { pane: "marks", renderer: this.renderers.marks, radius: 16, weight: 4, color: this.look.focus, fill: false, interactive: false }).addTo(this.map);
    if (!this.map.getBounds().pad(-0.05).contains(made.getLatLng())) this.map.panTo(made.getLatLng(), { animate: false });
  }

  repaint() {
    this.look = colours();
    this.ground.remove();
    this.drawBase();
    this.readHead();
    for (const made of this.marks.values()) made.redraw();
    this.relabel();
    this.reach.repaint();
    this.legend();
  }

  legend() {
    const signs = [["seen", ""], ["order", "issued"], ["order", "accepted"], ["order", "in_position"], ["order", "overdue"],
      ["order", "intercepted"], ["exit", "open"], ["exit", "closed"], ["sighting", "unassessed"], ["unit", "free"],
      ["site", "acknowledged"], ["site", "failed"], ["place", ""]];
    $("#legend").replaceChildren(...signs.map(([part, state]) => {
      const sign = stateMark(part, state);
      const picture = el("canvas", { width: 44, height: 44, class: "sign", "aria-hidden": "true" });
      const ctx = picture.getContext("2d");
      ctx.scale(2, 2);
      sign.draw(ctx, 11, 11, sign.size, this.look[sign.colour], this.look);
      return el("li", {}, picture, sign.text);
    }));
  }

  now() { return now(); }
}
