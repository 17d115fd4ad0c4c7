// Signs on the map: each state has a shape, a text and a colour of its own; and labels that do not lie on each other.

import { t } from "./ground.mjs";

export function colours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["ink", "quiet", "paper", "card", "line", "edge", "go", "good", "warn", "bad", "info", "off", "focus"];
  const found = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim() || "#666"]));
  return { ...found, road: found.edge };
}

/* A trail: the first point in ten thousandths of a degree, then steps; as [latitude, longitude]. */
export function points(trail) {
  const found = [];
  let [lon, lat] = [0, 0];
  for (let n = 0; n + 1 < trail.length; n += 2) {
    lon += trail[n];
    lat += trail[n + 1];
    found.push([lat / 1e4, lon / 1e4]);
  }
  return found;
}

export const polygons = (rings) => rings.map((one) => one.map(points));

// -- shapes: (ctx, x, y, radius, colour, look)

function path(ctx, points, x, y, r) {
  ctx.beginPath();
  points.forEach(([dx, dy], place) => ctx[place ? "lineTo" : "moveTo"](x + dx * r, y + dy * r));
  ctx.closePath();
}

function filled(points) {
  return (ctx, x, y, r, colour, look) => {
    path(ctx, points, x, y, r);
    ctx.fillStyle = colour;
    ctx.fill();
    ctx.lineWidth = 1.5;
    ctx.strokeStyle = look.card;
    ctx.stroke();
  };
}

function circle(ctx, x, y, r, from = 0, to = 2 * Math.PI) {
  ctx.beginPath();
  ctx.arc(x, y, r, from, to);
}

const SHAPES = {
  hollow(ctx, x, y, r, colour, look) {
    circle(ctx, x, y, r);
    ctx.fillStyle = look.card;
    ctx.fill();
    ctx.lineWidth = 2.5;
    ctx.strokeStyle = colour;
    ctx.stroke();
  },
  half(ctx, x, y, r, colour, look) {
    SHAPES.hollow(ctx, x, y, r, colour, look);
    circle(ctx, x, y, r, Math.PI / 2, 1.5 * Math.PI);
    ctx.fillStyle = colour;
    ctx.fill();
  },
  check(ctx, x, y, r, colour, look) {
    circle(ctx, x, y, r);
    ctx.fillStyle = colour;
    ctx.fill();
    ctx.beginPath();
    ctx.moveTo(x - 0.5 * r, y);
    ctx.lineTo(x - 0.1 * r, y + 0.45 * r);
    ctx.lineTo(x + 0.55 * r, y - 0.4 * r);
    ctx.lineWidth = 2;
    ctx.strokeStyle = look.card;
    ctx.stroke();
  },
  cross(ctx, x, y, r, colour, look) {
    circle(ctx, x, y, r);
    ctx.fillStyle = look.card;
    ctx.fill();
    ctx.lineWidth = 3;
    ctx.strokeStyle = colour;
    ctx.stroke();
    ctx.beginPath();
    for (const way of [1, -1]) { ctx.moveTo(x - 0.5 * r, y - 0.5 * r * way); ctx.lineTo(x + 0.5 * r, y + 0.5 * r * way); }
    ctx.stroke();
  },
  dash(ctx, x, y, r, colour) {
    ctx.fillStyle = colour;
    ctx.fillRect(x - r, y - 1.5, 2 * r, 3);
  },
  dot(ctx, x, y, r, colour) {
    circle(ctx, x, y, r);
    ctx.fillStyle = colour;
    ctx.fill();
  },
  plus(ctx, x, y, r, colour) {
    ctx.fillStyle = colour;
    ctx.fillRect(x - r, y - 1, 2 * r, 2);
    ctx.fillRect(x - 1, y - r, 2, 2 * r);
  },
  triangle: filled([[0, -1.1], [1.05, 0.85], [-1.05, 0.85]]),
  diamond: filled([[0, -1.15], [1.15, 0], [0, 1.15], [-1.15, 0]]),
  square: filled([[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]]),
  house: filled([[0, -1], [0.9, -0.2], [0.9, 0.9], [-0.9, 0.9], [-0.9, -0.2]]),
  star: filled([...Array(10).keys()].map((n) => {
    const r = n % 2 ? 0.5 : 1.25;
    return [r * Math.sin((n * Math.PI) / 5), -r * Math.cos((n * Math.PI) / 5)];
  })),
};

const sign = (shape, colour, size, text, label = 0) => ({ draw: SHAPES[shape], colour, size, text, label });
let signs = null;

/* The words come with the page, so the table of signs is made when it is first asked for. */
function allSigns() {
  return {
    "seen-": sign("star", "bad", 9, t("Last seen"), 9),
    "order-issued": sign("hollow", "off", 7, t("Ordered"), 3),
    "order-accepted": sign("half", "info", 7, t("Accepted"), 3),
    "order-in_position": sign("check", "good", 8, t("In position"), 3),
    "order-nothing_seen": sign("check", "good", 8, t("Nothing seen"), 3),
    "order-intercepted": sign("diamond", "info", 11, t("Intercepted"), 9),
    "order-overdue": sign("triangle", "warn", 9, t("No answer in time"), 6),
    "order-stood_down": sign("dash", "off", 5, t("Stood down")),
    "order-stand_down_acknowledged": sign("dash", "off", 4, t("Stood down")),
    "exit-open": sign("cross", "bad", 9, t("Way out, open"), 8),
    "exit-closed": sign("square", "good", 5, t("Way out, closed"), 2),
    "sighting-unassessed": sign("diamond", "warn", 9, t("Sighting, not judged"), 7),
    "sighting-credible": sign("diamond", "info", 9, t("Sighting, credible"), 7),
    "sighting-uncertain": sign("diamond", "warn", 7, t("Sighting, uncertain"), 6),
    "sighting-refuted": sign("dash", "off", 5, t("Sighting, refuted")),
    "unit-free": sign("house", "go", 5, t("Unit, free")),
    "unit-here": sign("house", "good", 5, t("Unit, on this case")),
    "unit-elsewhere": sign("house", "warn", 5, t("Unit, on another case")),
    "unit-off": sign("house", "off", 4, t("Unit, not available")),
    "site-acknowledged": sign("check", "good", 5, t("Site, acknowledged")),
    "site-failed": sign("cross", "bad", 5, t("Site, not reached"), 4),
    "site-sighting": sign("diamond", "warn", 8, t("Site with a sighting"), 7),
    "site-queued": sign("dot", "off", 2.5, t("Site, not told")),
    "site-cancelled": sign("dot", "off", 2.5, t("Site, not told")),
    "site-": sign("dot", "off", 3.5, t("Site, told")),
    "place-": sign("plus", "edge", 3.5, t("Place for a checkpoint")),
  };
}

export function stateMark(part, state, late = false) {
  signs ??= allSigns();
  const found = signs[`${part}-${state}`] ?? signs[`${part}-`];
  return late && part === "order" ? { ...found, draw: SHAPES.triangle, colour: "bad", size: 10, text: `${found.text}, ${t("LATE")}`, label: 8 } : found;
}

let Mark = null;

export function mark(at, options) {
  Mark ??= L.CircleMarker.extend({
    _updatePath() {
      const { _ctx: ctx, _drawing: drawing } = this._renderer;
      if (!drawing || this._empty()) return;
      const { sign: shown, look } = this.options;
      ctx.save();
      ctx.globalAlpha = 1;
      shown.draw(ctx, this._point.x, this._point.y, shown.size, look()[shown.colour], look());
      ctx.restore();
    },
  });
  return new Mark(at, options);
}

// -- labels

export class Labels {
  constructor() {
    this.sets = new Map();
    this.canvas = document.createElement("canvas");
    this.canvas.className = "labels";
    this.canvas.setAttribute("aria-hidden", "true");
  }

  addTo(map) {
    this.map = map;
    map.createPane("labels").style.zIndex = 450;
    map.getPane("labels").style.pointerEvents = "none";
    map.getPane("labels").append(this.canvas);
    map.on("moveend zoomend viewreset resize", () => this.later());
    return this;
  }

  set(name, labels) {
    this.sets.set(name, labels);
    this.later();
  }

  later() {
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.draw(); });
  }

  draw() {
    const { map, canvas } = this;
    const size = map.getSize();
    const ratio = devicePixelRatio || 1;
    if (canvas.width !== size.x * ratio || canvas.height !== size.y * ratio) {
      Object.assign(canvas, { width: size.x * ratio, height: size.y * ratio });
      Object.assign(canvas.style, { width: `${size.x}px`, height: `${size.y}px` });
    }
    L.DomUtil.setPosition(canvas, map.containerPointToLayerPoint([0, 0]));
    const ctx = canvas.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, size.x, size.y);
    ctx.font = `600 12px ${getComputedStyle(document.body).fontFamily}`;
    ctx.textAlign = "center";
    ctx.lineJoin = "round";
    this.put(ctx, size, getComputedStyle(document.documentElement).getPropertyValue("--card").trim());
  }

  put(ctx, size, halo) {
    // What is grave gets its place first; a label that would lie on another is left out until somebody comes nearer.
    const labels = [...this.sets.values()].flat().toSorted((a, b) => b.rank - a.rank);
    const least = this.map.getZoom() < 10.5 ? 6 : 1;
    const taken = [];
    for (const { at, text, rank, colour } of labels) {
      if (rank < least && rank !== 1) continue;
      const { x, y } = this.map.latLngToContainerPoint([at[1], at[0]]);
      if (x < 0 || y < 0 || x > size.x || y > size.y) continue;
      const half = ctx.measureText(text).width / 2 + 3;
      const box = [x - half, y - 26, x + half, y - 9];
      if (taken.some((one) => box[0] < one[2] && box[2] > one[0] && box[1] < one[3] && box[3] > one[1])) continue;
      taken.push(box);
      ctx.strokeStyle = halo;
      ctx.lineWidth = 3;
      ctx.strokeText(text, x, y - 13);
      ctx.fillStyle = colour;
      ctx.fillText(text, x, y - 13);
    }
  }
}
