// Keeps the page that raises alerts, its assets and the list of places for when there is no connection. Nothing else:
// no case, no photo, and never what somebody typed.

const CACHE = "guitu-raise";
const PAGE = "/alerts/new";
const INDEX = "/places/index";
const WAIT_MS = 4000;

self.addEventListener("install", (event) => event.waitUntil(prepare().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { method, url, mode } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== self.location.origin) return;
  if (pathname === PAGE && mode === "navigate") event.respondWith(page(event.request));
  else if (pathname === INDEX) event.respondWith(fresh(event.request));
  else if (pathname.startsWith("/static/")) event.respondWith(asset(event.request));
});

// The page was loaded before there was a worker: fetch it, its assets and what its modules import, once.
async function prepare() {
  const cache = await caches.open(CACHE);
  const answer = await fetch(PAGE, { headers: { Accept: "text/html" } });
  if (!isGood(answer)) return;
  await cache.put(PAGE, answer.clone());
  await cache.put(INDEX, await fetch(INDEX, { headers: { Accept: "application/json" } }));
  const waiting = [...(await answer.text()).matchAll(/"(\/static\/[^"]+)"/g)].map((found) => found[1]);
  const seen = new Set();
  while (waiting.length) {
    const path = waiting.pop();
    if (seen.has(path)) continue;
    seen.add(path);
    const file = await fetch(path);
    await cache.put(path, file.clone());
    if (!path.endsWith(".mjs")) continue;
    const folder = path.slice(0, path.lastIndexOf("/"));
    for (const [, name] of (await file.text()).matchAll(/from "\.(\/[\w./-]+\.mjs)"/g)) waiting.push(folder + name);
  }
}

const inTime = (request) => Promise.race([fetch(request), new Promise((_, no) => setTimeout(no, WAIT_MS))]);
const isGood = (answer) => answer.ok && !answer.redirected && answer.type === "basic";

async function fresh(request) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await inTime(request);
    if (isGood(answer)) await cache.put(new URL(request.url).pathname, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(new URL(request.url).pathname);
    if (kept) return kept;
    throw error;
  }
}

// The page says that it comes from memory, so that nobody takes its times and open cases for new.
async function page(request) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await inTime(request);
    if (isGood(answer)) await cache.put(PAGE, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(PAGE);
    if (!kept) throw error;
    const text = (await kept.text()).replace("<body ", '<body data-kept="1" ');
    const headers = new Headers(kept.headers);
    headers.delete("content-encoding");
    headers.delete("content-length");
    return new Response(text, { status: 200, headers });
  }
}

// Assets carry their version in their address: what is kept is right, and other versions are thrown away.
async function asset(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (isGood(answer)) {
    await cache.put(request, answer.clone());
    const version = new URL(request.url).pathname.split("/")[2];
    for (const old of await cache.keys()) {
      const [, root, other] = new URL(old.url).pathname.split("/");
      if (root === "static" && other !== version) await cache.delete(old);
    }
  }
  return answer;
}
