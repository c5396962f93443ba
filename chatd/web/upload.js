// Uploads of client.js: chat.upload(file, options). They follow tus 1.0, in pieces: after a break an upload goes on where
// the server has stopped receiving it. A piece grows while the network is fast. This is chatd/client/upload.py in
// another language.

const FIRST_PIECE_BYTES = 256 * 1024, MIN_PIECE_BYTES = 64 * 1024, MAX_PIECE_BYTES = 8 * 1024 * 1024;
const QUICK_SECONDS = 1;
const ANSWER_SECONDS = 30, MIN_BYTES_PER_SECOND = 32768;    // the server waits for a body as long
const PATH = "files/tus/";
const GONE = 404, BUSY = 423, OTHER_OFFSET = 409, UNAUTHORIZED = 401;

class Broken extends Error {}
class Gone extends Error {}

const encodeName = (name) => btoa(String.fromCharCode(...new TextEncoder().encode(name)));
const lastPart = (path) => path.split("/").pop();

// `server` has: base (a URL that ends with "/"), token(), renewToken(rejected) → whether to try another, refuse(code, message,
// retryAfter) → the error to throw, fetch, clock, sleep(seconds), backoff.
export async function upload(server, file, { name = file.name ?? "file", progress = () => {}, signal = null,
  resume = null, onbegin = () => {} } = {}) {
  const content = file instanceof Blob ? file : new Blob([file]);
  const state = { id: resume, offset: null, file: null, piece: FIRST_PIECE_BYTES };

  async function ask(method, path, headers = {}, body = undefined) {
    for (;;) {
      signal?.throwIfAborted();
      const token = await server.token();
      let answer;
      const attempt = new AbortController(), abort = () => attempt.abort(signal?.reason);
      const timer = server.clock.after(ANSWER_SECONDS + (body?.size ?? 0) / MIN_BYTES_PER_SECOND, abort);
      signal?.addEventListener("abort", abort);
      try {
        answer = await server.fetch(server.base + path, { method, body, signal: attempt.signal, credentials: "omit",
          headers: { Authorization: `Bearer ${token}`, "Tus-Resumable": "1.0.0", ...headers } });
      } catch (problem) {
        if (signal?.aborted) throw problem;
        throw new Broken(String(problem));
      } finally {
        server.clock.cancel(timer);
        signal?.removeEventListener("abort", abort);
      }
      if (answer.ok) { server.accepted(); return answer; }
      if (answer.status !== UNAUTHORIZED || !server.renewToken(token)) throw await failure(answer, path);
    }
  }

  async function failure(answer, path) {
    const seconds = Number(answer.headers.get("retry-after")) || null;
    if (answer.status === GONE && path.startsWith(PATH)) return new Gone();
    if (answer.status === BUSY || answer.status === OTHER_OFFSET)    // an earlier request may not have ended yet
      return Object.assign(new Broken(`HTTP ${answer.status}`), { seconds });
    const said = await answer.json().catch(() => ({}));
    return server.refuse(said.code ?? (answer.status >= 500 ? "UNAVAILABLE" : "BAD_REQUEST"),
      said.message ?? `HTTP ${answer.status}`, seconds);
  }

  function report(answer) {
    state.offset = Number(answer.headers.get("upload-offset") ?? state.offset ?? 0);
    const place = answer.headers.get("content-location");
    if (place) state.file = lastPart(place);
    progress(state.offset, content.size);
  }

  async function sendPiece() {
    const began = server.clock.now(), headers = { "Upload-Offset": String(state.offset),
      "Content-Type": "application/offset+octet-stream" };
    const piece = content.slice(state.offset, state.offset + state.piece);
    report(await ask("PATCH", PATH + state.id, headers, new Blob([await piece.arrayBuffer()])));    // throws if it can't be read
    server.backoff.tries = 0;
    if (server.clock.now() - began < QUICK_SECONDS) state.piece = Math.min(MAX_PIECE_BYTES, state.piece * 2);
  }

  async function goOn() {
    if (state.id === null) {
      const answer = await ask("POST", PATH,
        { "Upload-Length": String(content.size), "Upload-Metadata": `filename ${encodeName(name)}` });
      state.id = lastPart(answer.headers.get("location"));
      state.offset = 0;
      onbegin(state.id);
    } else if (state.offset === null) report(await ask("HEAD", PATH + state.id));
    while (state.file === null) await sendPiece();
    return (await ask("GET", `v1/files/${state.file}`)).json();
  }

  for (;;)
    try { return await goOn(); } catch (problem) {
      if (problem instanceof Gone) { state.id = state.offset = null; continue; }
      if (signal?.aborted) {
        if (state.id) await server.fetch(server.base + PATH + state.id, { method: "DELETE", credentials: "omit",
          headers: { Authorization: `Bearer ${await server.token()}`, "Tus-Resumable": "1.0.0" } }).catch(() => {});
        throw problem;
      }
      if (!(problem instanceof Broken || problem.again)) throw problem;
      state.offset = null;
      state.piece = Math.max(MIN_PIECE_BYTES, state.piece / 2);
      await server.sleep(server.backoff.nextSeconds(problem.seconds ?? problem.retryAfter));
    }
}
