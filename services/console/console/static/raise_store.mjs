// What this browser remembers of alerts: one draft of the person at the screen, and alerts that wait for a connection.
// The family's fields and the photo are never among it.

const DRAFT = "guitu.raise.draft";
const UNSENT = "guitu.raise.unsent";
const UNSENT_MAX = 20;
const NEVER_KEPT = new Set(["csrf", "key", "child_name", "parent_names", "phones", "photo"]);

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

// A browser may refuse to remember anything (private mode, full disk); the form works all the same.
function write(name, value) {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

// `crypto.randomUUID` is there only on https and on this machine itself.
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export function keepable(form) {
  const kept = {};
  for (const [name, said] of new FormData(form)) {
    if (typeof said === "string" && said !== "" && !NEVER_KEPT.has(name)) kept[name] = said;
  }
  return kept;
}

export function draftOf(owner) {
  const draft = read(DRAFT);
  return draft?.owner === owner ? draft : null;
}

export const keepDraft = (draft) => write(DRAFT, draft);
export const dropDraft = () => write(DRAFT, null);

export const unsent = () => read(UNSENT) ?? [];

export function keepUnsent(one) {
  const others = unsent().filter((each) => each.key !== one.key);
  return others.length < UNSENT_MAX && write(UNSENT, [...others, one]);
}

export function dropUnsent(key) {
  const left = unsent().filter((each) => each.key !== key);
  write(UNSENT, left.length ? left : null);
}
