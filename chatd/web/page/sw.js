// The service worker: it keeps the files of the page, so that the page opens without a network. It never touches what
// is not a file of the page: /auth, /files, /v1 and sockets go to the server as if it were not there.
const VERSION = "{{version}}", KEPT = {{kept}};
const WAIT_MS = 3000;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(KEPT)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(
    names.filter((name) => name !== VERSION).map((name) => caches.delete(name)))).then(() => self.clients.claim()));
});

// The newest page if the server answers soon, else the one that was kept.
async function page(request) {
  const kept = await caches.match("/");
  try {
    const signal = kept ? AbortSignal.timeout(WAIT_MS) : undefined;
    return await fetch(request, { signal });
  } catch (problem) {
    if (kept) return kept;
    throw problem;
  }
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (event.request.mode === "navigate" && url.pathname === "/") event.respondWith(page(event.request));
  else if (url.pathname.startsWith("/web/"))
    event.respondWith(caches.match(event.request).then((kept) => kept ?? fetch(event.request)));
});
