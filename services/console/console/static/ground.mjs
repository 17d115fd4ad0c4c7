// What every page's module stands on: words, the session's token, commands, keys, ages of times, messages.
//
//   import { t, post, key, say, el } from "./ground.mjs";
//
//   t("Sent {n} of {all}", {n: 2, all: 5})   a text in the page's language; the id in double quotes, literally
//   await post("/cases/1/notes", {text})     a command as a form; resolves {status, said, url}, rejects Refused
//   key("j", t("Next row"), fn, {group})     one key; listed by `?`; silent while somebody types
//   say(t("Sent."), "done")                  a message that stays until somebody closes it; kinds: done, note, refused
//   el("td", {class: "num"}, text, child)    an element; text is text, never markup
//   beijing(iso), age(iso), now()            24-hour Beijing time; relative age; the server's clock
//   serverTime(iso)                          tell the clock what the server says; ages follow it
//   silence()                                how long nobody was heard, whatever the browser's clock does meanwhile
//   onceOnly(form)                           a form that can't be sent twice by a nervous finger
//
// A page names its module by {{ script("board.mjs") }}: its words come along as data, and nothing is inline.

const words = {};
for (const block of document.querySelectorAll("script.words")) Object.assign(words, JSON.parse(block.textContent));

export const language = document.documentElement.lang;
export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

export function t(id, values = {}) {
  const text = words[id];
  if (text === undefined) throw new Error(`No ${language} text for "${id}" on this page.`);
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// -- elements and messages

export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child != null));
  return made;
}

export function say(text, kind = "note") {
  const shelf = $("#said");
  const close = el("button", { type: "button", class: "plain", onclick: () => said.remove() }, t("Close"));
  const said = el("p", { class: kind }, el("span", {}, text), close);
  shelf.append(said);
  while (shelf.children.length > 5) shelf.firstElementChild.remove();
  return said;
}

// -- commands

export class Refused extends Error {
  constructor(status, said) {
    super((language === "en" ? said.detail : said.detail_zh) ?? said.detail ?? t("The server does not answer."));
    this.status = status;
    this.said = said;
  }
}

export const csrf = () => document.body.dataset.csrf ?? "";

export async function post(path, fields = {}, { key: idempotency, timeout = 15000 } = {}) {
  const body = fields instanceof FormData ? fields : new URLSearchParams(fields);
  const headers = { "X-CSRF": csrf(), Accept: "application/json" };
  if (idempotency) headers["Idempotency-Key"] = idempotency;
  let answer;
  try {
    answer = await fetch(path, { method: "POST", body, headers, signal: AbortSignal.timeout(timeout) });
  } catch {
    throw new Refused(0, {});
  }
  const isJson = (answer.headers.get("content-type") ?? "").includes("json");
  const said = isJson ? await answer.json() : {};
  if (!answer.ok) throw new Refused(answer.status, said);
  return { status: answer.status, said, url: answer.url };
}

export function onceOnly(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
}

// -- keys

const known = new Map();
let chord = "";

export function key(name, meaning, act, { group = "", when = () => true } = {}) {
  known.set(name, { meaning, act, group, when });
  return () => known.delete(name);
}

const types = (target) => target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
const heard = (name) => [...known.keys()].some((one) => one.startsWith(`${name} `));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (types(event.target) && event.key !== "Escape") return;
  if ($("dialog[open]") && event.key !== "Escape") return;
  const pressed = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const name = chord ? `${chord} ${pressed}` : pressed;
  chord = !chord && heard(pressed) ? pressed : "";
  const found = known.get(name);
  if (!found?.when()) return;
  event.preventDefault();
  found.act(event);
});

function listKeys() {
  const shown = $("#keys") ?? document.body.appendChild(el("dialog", { id: "keys", "aria-label": t("Keys") }));
  const rows = [...known].filter(([, one]) => one.when()).map(([name, one]) =>
    el("tr", {}, el("td", {}, ...name.split(" ").map((part) => el("kbd", {}, part))), el("td", {}, one.meaning)));
  const close = el("form", { method: "dialog" }, el("button", { class: "go" }, t("Close")));
  shown.replaceChildren(el("h2", {}, t("Keys")), el("table", { class: "list" }, el("tbody", {}, ...rows)), close);
  shown.showModal();
}

key("?", t("List the keys"), listKeys);
for (const link of $$("a[data-key]")) key(link.dataset.key, link.textContent.trim(), () => link.click());
$("#list-keys")?.addEventListener("click", listKeys);

// -- times

let ahead = 0;
const clock = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit",
  second: "2-digit", hourCycle: "h23" });

export const serverTime = (iso) => { ahead = Date.parse(iso) - Date.now(); };
export const now = () => Date.now() + ahead;

// How long nobody was heard. The machine's clock may be set back meanwhile, the steady one stands still while the
// machine sleeps: the longer of the two counts.
export function silence() {
  let wall = Date.now();
  let steady = performance.now();
  const ms = () => Math.max(Date.now() - wall, performance.now() - steady);
  return {
    ms,
    heard: (ago = 0) => { wall = Date.now() - ago; steady = performance.now() - ago; },
    since: () => new Date(now() - ms()).toISOString(),
  };
}

export const beijing = (iso) => clock.format(new Date(iso));

export function age(iso) {
  const seconds = (now() - Date.parse(iso)) / 1000;
  const past = seconds >= 0;
  const whole = Math.abs(seconds);
  if (whole < 90) return past ? t("{n} s ago", { n: Math.trunc(whole) }) : t("in {n} s", { n: Math.trunc(whole) });
  if (whole < 7200) return past ? t("{n} min ago", { n: Math.trunc(whole / 60) }) : t("in {n} min", { n: Math.trunc(whole / 60) });
  if (whole < 172800) return past ? t("{n} h ago", { n: Math.trunc(whole / 3600) }) : t("in {n} h", { n: Math.trunc(whole / 3600) });
  return past ? t("{n} d ago", { n: Math.trunc(whole / 86400) }) : t("in {n} d", { n: Math.trunc(whole / 86400) });
}

function growOlder() {
  for (const shown of $$("[data-age]")) {
    const text = age(shown.dataset.age);
    if (shown.textContent !== text) shown.textContent = text;
  }
}

if (document.body.dataset.now) serverTime(document.body.dataset.now);
setInterval(growOlder, 1000);
for (const form of $$("form[data-once]")) onceOnly(form);
addEventListener("pageshow", () => $$("form[data-sent]").forEach((form) => delete form.dataset.sent));
