// Rows: patched in place, marked when they change, sorted only when nobody is in the middle of something.

import { $, $$, t, key, now } from "./ground.mjs";

const LATE = 1000;
const filters = { order: new Set(), site: new Set() };
let wanted = "";
let lastHead = "";

const holder = (part) => $(`[data-rows="${part}"]`);
const badness = (row) => Number(row.dataset.sort) + (row.classList.contains("is-late") ? LATE : 0);

function parse(html) {
  const made = document.createElement("template");
  made.innerHTML = html.trim();
  return made.content.firstElementChild;
}

// -- patches

export function applyPatch(patch) {
  const rows = patch.rows.map((row) => place(row.part, parse(row.html))).filter(Boolean);
  for (const told of patch.timeline) tell(parse(told.html));
  const headToo = Boolean(patch.head) && patch.head !== lastHead;
  if (headToo) newHead(parse(patch.head));
  lastHead = patch.head ?? lastHead;
  const parts = new Set(patch.rows.map((row) => row.part));
  if (patch.timeline.length) parts.add("timeline");
  parts.forEach(fill);
  return { rows, headToo };
}

function place(part, row) {
  const shelf = holder(part);
  if (!shelf || !row) return null;
  const before = document.getElementById(row.id);
  // What a row owes, and when, came with it: what the row before it owed is over.
  showLate(row, isLate(row, now()));
  if (before) {
    if (before.isEqualNode(row)) return before;
    keepFocus(before, row);
  } else {
    shelf.append(row);
    row.hidden = !passes(part, row);
  }
  row.classList.add("changed");
  return row;
}

function keepFocus(before, row) {
  const at = before.contains(document.activeElement) ? focusable(before).indexOf(document.activeElement) : -1;
  row.hidden = before.hidden && !passes(row.dataset.part, row);
  before.replaceWith(row);
  if (at >= 0) focusable(row)[at]?.focus({ preventScroll: true });
}

const focusable = (root) => $$("a, button, input, summary", root);

function tell(entry) {
  if (!entry || document.getElementById(entry.id)) return;
  entry.classList.add("changed");
  entry.hidden = !kindPasses(entry);
  const shelf = holder("timeline");
  const at = Date.parse($("time", entry).dateTime);
  const later = [...shelf.children].find((one) => Date.parse($("time", one).dateTime) <= at);
  shelf.insertBefore(entry, later ?? null);
}

function newHead(head) {
  const before = $("#head");
  const exits = $("#exits", before);
  if (exits && $("#exits", head)) $("#exits", head).open = exits.open;
  if (before.classList.contains("veiled")) head.classList.add("veiled");
  const shown = $("[data-elapsed]", before);
  if (shown) $("[data-elapsed]", head).textContent = shown.textContent;
  keepFocus(before, head);
}

export function swapBoard(fresh) {
  const held = document.activeElement.closest("[data-rows] > [id]");
  const at = held ? focusable(held).indexOf(document.activeElement) : -1;
  for (const shelf of $$("[data-rows]", fresh)) {
    holder(shelf.dataset.rows).replaceChildren(...shelf.children);
    fill(shelf.dataset.rows);
  }
  newHead($("#head", fresh));
  $("#rings").replaceChildren(...$("#rings", fresh).childNodes);
  $("#missing").replaceChildren(...$("#missing", fresh).childNodes);
  const earlier = $("#earlier", fresh);
  if (earlier) $("#earlier")?.replaceWith(earlier);
  else $("#earlier")?.remove();
  $("#as-of").replaceWith($("#as-of", fresh));
  refilter();
  if (at >= 0) focusable(document.getElementById(held.id) ?? held)[at]?.focus({ preventScroll: true });
  return Number($("#board", fresh).dataset.seq);
}

function fill(part) {
  const shelf = holder(part);
  const any = shelf.children.length > 0;
  const empty = $(`[data-empty="${part}"]`);
  if (empty) empty.hidden = any;
  const table = shelf.closest("table");
  if (table && any) table.hidden = false;
  if (part in filters) count(part);
}

// -- order and age

export function resort(clear = false) {
  for (const part of ["order", "site", "sighting", "aid"]) {
    const shelf = holder(part);
    const rows = [...shelf.children];
    const sorted = rows.toSorted((a, b) => badness(b) - badness(a));
    if (sorted.some((row, place) => row !== rows[place])) {
      const active = shelf.contains(document.activeElement) ? document.activeElement : null;
      shelf.append(...sorted);
      active?.focus({ preventScroll: true });
    }
  }
  if (clear) for (const row of changedRows()) row.classList.remove("changed");
  if (clear) refilter();
}

export const changedRows = () => $$("#panes tr.changed, #panes li.changed");

const isLate = (row, time) => Boolean(row.dataset.due) && Date.parse(row.dataset.due) < time;

function showLate(row, late) {
  row.classList.toggle("is-late", late);
  const word = $(".late", row);
  if (word) word.hidden = !late;
}

export function markLate(time) {
  const changed = $$("[data-due]").filter((row) => isLate(row, time) !== row.classList.contains("is-late"));
  for (const row of changed) showLate(row, isLate(row, time));
  return changed;
}

// -- filters

function passes(part, row) {
  const chosen = filters[part];
  const text = !wanted || row.textContent.toLowerCase().includes(wanted);
  return text && (!chosen?.size || chosen.has(row.dataset.state));
}

function refilter() {
  for (const part of ["order", "site", "sighting"]) {
    for (const row of holder(part).children) row.hidden = !passes(part, row);
  }
}

function count(part) {
  const many = {};
  for (const row of holder(part).children) many[row.dataset.state] = (many[row.dataset.state] ?? 0) + 1;
  for (const chip of $$(`[data-filters="${part}"] button`)) $(".count", chip).textContent = many[chip.dataset.state] ?? 0;
}

function toggle(chip, chosen, value) {
  const on = chip.getAttribute("aria-pressed") !== "true";
  chip.setAttribute("aria-pressed", on);
  if (on) chosen.add(value);
  else chosen.delete(value);
}

const kinds = new Set();
const kindPasses = (entry) => !kinds.size || kinds.has(entry.dataset.kind);

export function setUpRows() {
  for (const part of Object.keys(filters)) {
    const chips = $$(`[data-filters="${part}"] button`);
    chips.forEach((chip, place) => {
      const act = () => { toggle(chip, filters[part], chip.dataset.state); refilter(); };
      chip.addEventListener("click", act);
      if (part === "order") key(`${place + 1}`, t("Only this state: {state}", { state: chip.childNodes[1].textContent.trim() }), act);
    });
    count(part);
  }
  for (const chip of $$("[data-kinds] button")) {
    chip.addEventListener("click", () => {
      toggle(chip, kinds, chip.dataset.kind);
      for (const entry of holder("timeline").children) entry.hidden = !kindPasses(entry);
    });
  }
  $("#find").addEventListener("input", (event) => { wanted = event.target.value.trim().toLowerCase(); refilter(); });
  $("#panes").addEventListener("focusin", (event) => choose(event.target.closest("[data-part]")));
}

// -- the chosen row

function choose(row) {
  for (const one of $$("#panes .chosen")) one.classList.remove("chosen");
  row?.classList.add("chosen");
  document.dispatchEvent(new CustomEvent("row-chosen", { detail: row }));
}

export const chosenRow = () => $("#panes tr.chosen");

export function step(by) {
  const rows = $$("#panes tbody tr").filter((row) => !row.hidden && row.offsetParent);
  const at = rows.indexOf(chosenRow());
  const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  $("a", next ?? document)?.focus();
}
