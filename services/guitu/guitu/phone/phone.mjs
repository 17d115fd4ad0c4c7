// Buttons on a phone with a bad signal. Every form also works without this file; with it, a press that finds no signal
// is kept on the phone, counted in sight, and sent by itself; a tick is shown only when the server's own page says so.
//
// What a page gives us: <body data-here="/o/..." data-poll-s="20">, <header id="signal"> with texts to fill in, and forms:
//   data-queued          its POST may wait, and may be sent twice without harm
//   data-step="accept" data-next="in-position"   what may be pressed after it, so that steps can wait one behind the other
//   data-sure            asks for a second press, and then posts to its own address

const here = document.body.dataset.here;
const KEY = `guitu:${here}`;
const TIMEOUT_MS = 20_000, RETRY_MAX_MS = 30_000, KEPT_MAX = 50;
let unkept = [], sending = false, again = false, failures = 0, lost = false, asOf = Date.now(), timer = 0;

// A browser in private mode may refuse to keep anything; then what waits lives as long as the page.
function waiting() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]");
  } catch {
    return unkept;
  }
}

function keep(items) {
  unkept = items;
  try {
    if (items.length) localStorage.setItem(KEY, JSON.stringify(items));
    else localStorage.removeItem(KEY);
  } catch { /* It is in memory. */ }
}

async function ask(address, more = {}) {
  const answer = await fetch(address, {
    cache: "no-store", credentials: "omit", signal: AbortSignal.timeout?.(TIMEOUT_MS), ...more,
  });
  if (answer.status >= 500 || answer.status === 429) throw new Error(`away: ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function post(item) {
  const waited = Math.max(0, Math.round((Date.now() - item.at) / 1000));
  return ask(item.to, { method: "POST", body: new URLSearchParams([...item.fields, ["waited_s", String(waited)]]) });
}

async function send() {
  // A signal that comes back while a try is still failing must not be missed.
  again = sending;
  if (sending) return;
  sending = true;
  try {
    for (let item = waiting()[0]; item; item = waiting()[0]) {
      const page = await post(item);
      keep(waiting().filter((each) => each.id !== item.id));
      heard();
      show(page, item.to);
      document.querySelector("main [role=alert], main [role=status]")?.focus();
    }
  } catch {
    failed();
  } finally {
    sending = false;
    draw();
    if (again) send();
  }
}

async function look() {
  if (document.hidden || sending || waiting().length) return;
  try {
    const page = await ask(here);
    heard();
    if (page.querySelector("main")?.dataset.version !== document.querySelector("main").dataset.version) show(page);
  } catch {
    failed();
  }
  draw();
}

function heard() {
  failures = 0;
  lost = false;
  asOf = Date.now();
}

function failed() {
  failures += 1;
  lost = true;
}

// The server's new page in place of the old one; what was typed into a form that was not sent stays.
function show(page, sent) {
  const fresh = page.querySelector("main"), old = document.querySelector("main");
  if (!fresh) return;
  // A photo that is there already is not fetched again: it may not leave this document, so a mark holds its place.
  const photo = old.querySelector("img"), same = fresh.querySelector("img"), mark = page.createElement("span");
  const kept = photo && same && photo.getAttribute("src") === same.getAttribute("src");
  if (kept) same.replaceWith(mark);
  for (const form of old.querySelectorAll("form")) {
    if (form.getAttribute("action") !== sent) carry(form, fresh);
  }
  document.adoptNode(fresh);
  if (kept) mark.replaceWith(photo);
  old.replaceWith(fresh);
}

function carry(form, fresh) {
  const twin = [...fresh.querySelectorAll("form")].find((each) => each.getAttribute("action") === form.getAttribute("action"));
  for (const field of twin ? form.querySelectorAll("textarea, input:not([type=hidden])") : []) {
    const other = twin.elements.namedItem(field.name);
    if (field.type === "radio") [...twin.querySelectorAll("input")].filter((each) => each.name === field.name
      && each.value === field.value).forEach((each) => { each.checked = field.checked; });
    else if (other) other.value = field.value;
  }
}

// What the page says and offers beside the server's words: how many wait, since when nothing was heard, what comes next.
function draw() {
  const items = waiting(), clock = new Date(asOf).toLocaleTimeString("zh-CN", { hour12: false, timeZone: "Asia/Shanghai" });
  fill("waiting", items.length > 0, { n: items.length });
  fill("lost", lost, { at: clock });
  for (const form of document.querySelectorAll("form[data-queued]")) {
    form.toggleAttribute("data-waits", items.some((each) => each.to === target(form)));
  }
  drawSteps(items);
  clearTimeout(timer);
  const pause = items.length ? Math.min(RETRY_MAX_MS, 1000 * 2 ** failures) : 1000 * Number(document.body.dataset.pollS);
  timer = setTimeout(() => (waiting().length ? send() : look()), pause);
}

function fill(name, shown, values) {
  const line = document.querySelector(`#signal [data-line=${name}]`);
  line.hidden = !shown;
  for (const part of line.querySelectorAll("[data-say]")) {
    const text = part.dataset.say.replace(/\{(\w+)\}/g, (_, key) => values[key]);
    // Written only when it changes: a live region that is written again is read aloud again.
    if (part.textContent !== text) part.textContent = text;
  }
}

function drawSteps(items) {
  const steps = [...document.querySelectorAll("form[data-step]")];
  const last = items.map((item) => steps.find((form) => target(form) === item.to)).filter(Boolean).at(-1);
  for (const form of steps) {
    const button = form.querySelector("button");
    form.dataset.legal ??= String(!button.disabled);
    button.disabled = last ? !last.dataset.next.split(" ").includes(form.dataset.step) : form.dataset.legal !== "true";
  }
}

const target = (form) => form.getAttribute("action");

function calm(except) {
  for (const form of document.querySelectorAll("[data-armed]")) if (form !== except) form.removeAttribute("data-armed");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const items = waiting();
  // With more than ever waits, the form goes the plain way: the browser says itself that it did not go.
  if (!form.matches("[data-queued]") || items.length >= KEPT_MAX) return;
  event.preventDefault();
  calm(form);
  if (form.matches("[data-sure]:not([data-armed])")) {
    form.setAttribute("data-armed", "");
    return;
  }
  form.removeAttribute("data-armed");
  const fields = [...new FormData(form)].map(([name, value]) => [name, String(value)]);
  const to = target(form), same = JSON.stringify(fields);
  if (!items.some((each) => each.to === to && JSON.stringify(each.fields) === same)) {
    keep([...items, { id: `${Date.now()}-${items.length}`, to, fields, at: Date.now() }]);
  }
  draw();
  send();
});
document.addEventListener("click", (event) => calm(event.target.closest("form")));
document.addEventListener("keydown", (event) => event.key === "Escape" && calm());
document.addEventListener("visibilitychange", () => (waiting().length ? send() : look()));
addEventListener("online", () => (waiting().length ? send() : look()));
addEventListener("storage", draw);
draw();
if (waiting().length) send();
