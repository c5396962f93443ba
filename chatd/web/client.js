// chatd's client for browsers and Node: it delivers each event once, and reports a gap where it cannot.
//
//   import { connect } from "/client.js";
//   const chat = connect("https://chat.example", { token });
//   chat.on("message:created", (event) => show(event.data));
//   chat.on("gap", (event) => loadAgain(event.data));            // reason: epoch, trimmed, too_far, connection, none
//   await chat.call("conversation:join", { conversationId });    // the ack; throws Refused
//   await chat.send("message:send", { conversationId, content }); // once, across reconnects and restarts
//   const file = await chat.upload(blob, { progress });           // goes on after a break; a message names file.url
//   for await (const event of chat) ...                          // { name, data, position, room }
//   chat.close();
//
// connect(url, options). The options are:
//
//   token       a string, or an async function that returns one. The client calls it first, and when the server rejects
//               the last token. A TypeError (of fetch without a network) counts as a lost connection
//   namespace   "/chat" by default
//   dialect     the dialect, when it is not the server's default for the namespace
//   resume      the `chat.mark` of an earlier chat
//   buffer      how many events may wait for an iterator (1000)
//   patience    the seconds without a connection after which the chat fails with Unreachable
//   WebSocket, fetch, random, clock   replace the global ones. Node has a WebSocket from version 22 on. With Node 20,
//               pass the one of the package ws: connect(url, { token, WebSocket })
//
// chat.upload(blob, options) returns the file as `v1` shows it. The options are: name, progress(sentBytes, bytes), signal
// (an AbortSignal), onbegin(id), and resume: the id of an earlier upload of the same content. It loads ./upload.js.
//
// This is chatd.client (Python) in another language. The docstrings there explain the rules.

const CAN_RECONNECT = { 4400: false, 4401: false, 4403: false, 4404: false, 4405: false, 4409: false, 1009: false,
  4029: true, 1011: true, 1013: true, 1012: true, 4008: true };
const CODE_BY_NUMBER = {
  "-32602": "BAD_REQUEST", "-32700": "BAD_REQUEST", "-32600": "BAD_REQUEST", "-32601": "BAD_REQUEST",
  "-32001": "AUTH_INVALID", "-32003": "FORBIDDEN", "-32004": "NOT_FOUND", "-32009": "CONFLICT", "-32013": "TOO_LARGE",
  "-32002": "PAYMENT_REQUIRED", "-32014": "QUOTA_EXCEEDED", "-32015": "UNSUPPORTED_TYPE",
  "-32029": "RATE_LIMITED", "-32603": "INTERNAL", "-32050": "UNAVAILABLE",
};
const RETRYABLE_CODES = ["RATE_LIMITED", "INTERNAL", "UNAVAILABLE"];
const ROOM_CALLS = [
  { join: "conversation:join", leave: "conversation:leave", field: "conversationId" },
  { join: "join-conversation", leave: "leave-conversation", field: "conversationId" },
  { join: "join_conversation", leave: "leave_conversation", field: "conversationId" },
  { join: "join_room", leave: null, field: "roomId" },
];
export const TABLES = { CAN_RECONNECT, CODE_BY_NUMBER, RETRYABLE_CODES, ROOM_CALLS };

const FIRST_WAIT_SECONDS = 0.5, MAX_WAIT_SECONDS = 30, STABLE_AFTER_SECONDS = 10, HANDSHAKE_TIMEOUT_SECONDS = 10;
const ABNORMAL_CLOSE = 1006, SIGNED_OUT = 4401;
const CLOCK = { now: () => performance.now() / 1000, after: (seconds, act) => setTimeout(act, seconds * 1000),
  cancel: (timer) => clearTimeout(timer) };

export class ChatError extends Error {}
export class Lost extends ChatError {}
export class Unreachable extends ChatError {}
export class Closed extends ChatError {
  constructor(code, reason) { super(`${code} ${reason}`.trim()); Object.assign(this, { code, reason }); }
}
export class SignedOut extends Closed {}
export class Refused extends ChatError {
  constructor(code, message, retryAfter, body) {
    super(`${code}: ${message}`);
    Object.assign(this, { code, retryAfter, body, again: RETRYABLE_CODES.includes(code) });
  }
}
class Unwritten extends Error {}

export const connect = (url, options) => new Chat(url, options);

// Marks: from where a stream of events continues. See chatd/client/events.py.
const includes = (mark, event) => event.position !== null && event.position <= mark.position &&
  (event.position < mark.position || mark.names.includes(event.name));

function after(mark, event) {
  const same = event.position === mark.position;
  if (event.position === null || (same && !mark.names.length)) return mark;
  return { ...mark, position: event.position, names: same ? [...mark.names, event.name] : [event.name] };
}

const roomKey = (row, data) => row.join + " " + (Array.isArray(data) ? data[0] : data?.[row.field]);

function refusal(error) {
  const fields = error.data?.error && typeof error.data.error === "object" ? error.data.error : error.data;
  const known = Object.values(CODE_BY_NUMBER).includes(fields?.code);
  const code = known ? fields.code : CODE_BY_NUMBER[error.code] ?? "INTERNAL";
  return new Refused(code, error.message, fields?.retryAfter ?? null, error.data);
}

class Backoff {
  tries = 0;
  constructor(random) { this.random = random; }
  nextSeconds(asked) {
    return Math.max(this.random() * Math.min(MAX_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** this.tries++), asked ?? 0);
  }
}

// The calls of one connection: written at the rate that the server allows.
class Calls {
  waiting = new Map(); ended = false;
  #queue = []; #number = 0; #due = 0; #timer = null;

  constructor(socket, limits, clock, changed) {
    Object.assign(this, { socket, clock, changed });
    this.maxBytes = limits.message_bytes ?? 0;
    this.interval = limits.calls_per_second ? 1 / limits.calls_per_second : 0;
    this.burst = limits.calls_burst || limits.calls_per_second || 1;
  }

  call(method, params) {
    const id = ++this.#number;
    const text = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    return new Promise((resolve, reject) => {
      if (this.ended) return reject(new Unwritten());
      if (this.maxBytes && new TextEncoder().encode(text).length > this.maxBytes)
        return reject(new Refused("TOO_LARGE", `The call exceeds the server's limit of ${this.maxBytes} bytes`));
      const call = { text, written: false, resolve, reject };
      this.waiting.set(id, call);
      this.#enqueue(call);
    });
  }

  ping() { this.#enqueue({ text: '{"jsonrpc":"2.0","id":"ping","method":"rpc.ping"}' }); }

  answer(id, result, error) {
    const call = this.waiting.get(id);
    if (!call) return;
    this.waiting.delete(id);
    if (error) call.reject(refusal(error));
    else call.resolve(result);
    this.changed();
  }

  end() {
    this.ended = true;
    this.clock.cancel(this.#timer);
    for (const call of this.waiting.values())
      call.reject(call.written ? new Lost("The connection ended before the answer came") : new Unwritten());
    this.waiting.clear();
  }

  #enqueue(call) {
    this.#queue.push(call);
    this.#write();
  }

  #write() {
    if (this.#timer !== null) return;
    while (this.#queue.length) {
      const now = this.clock.now(), due = Math.max(this.#due, now) + this.interval;
      const wait = due - now - this.interval * this.burst;
      if (wait > 1e-6)
        return void (this.#timer = this.clock.after(wait, () => { this.#timer = null; this.#write(); }));
      this.#due = due;
      const call = this.#queue.shift();
      if (this.socket.readyState !== 1) continue;
      call.written = true;
      this.socket.send(call.text);
    }
  }
}

export class Chat {
  ready = null;          // the `ready` of the latest connection: the user, the limits
  onstate = () => {};    // called with "online", "offline" (it connects again by itself) and "closed"
  #url; #handshakeUrl; #token; #currentToken = null; #tokenAsked = null; #options; #clock; #backoff;
  #mark; #markBeforeGap; #gapReason = null;
  #rooms = new Map(); #handlers = new Map(); #streams = new Set(); #sleeping = new Set();
  #session = null; #onlineWaiters = []; #failure = null;
  #noCallsUntil = 0; #tokenRenewed = false; #downSince;

  constructor(url, { token, namespace = "/chat", dialect = null, resume = null, buffer = 1000, patience = Infinity,
    WebSocket = globalThis.WebSocket, fetch = (...request) => globalThis.fetch(...request), random = Math.random, clock = CLOCK } = {}) {
    if (!WebSocket) throw new ChatError("No WebSocket here: use Node 22, or pass the one of the package ws");
    this.#handshakeUrl = new URL(url.replace(/^ws/, "http").replace(/\/+$/, "") + "/handshake");
    this.#handshakeUrl.searchParams.set("namespace", "/" + namespace.replace(/^\//, ""));
    if (dialect) this.#handshakeUrl.searchParams.set("dialect", dialect);
    this.#url = new URL(url.replace(/^http/, "ws").replace(/\/+$/, "") + "/" + namespace.replace(/^\//, ""));
    this.#url.searchParams.set("rooms", "1");
    if (dialect) this.#url.searchParams.set("dialect", dialect);
    [this.#token, this.#currentToken] = [token, typeof token === "string" ? token : null];
    [this.#clock, this.#backoff] = [clock, new Backoff(random)];
    this.#options = { WebSocket, fetch, random, buffer, patience };
    this.#mark = resume ?? { epoch: "", position: 0, names: [], connection: "" };
    this.#downSince = clock.now();
    this.#dial();
  }

  // For the application

  get connected() { return this.#session?.calls != null; }

  get mark() {
    let mark = this.#gapReason === null ? this.#mark : this.#markBeforeGap, most = 0;
    for (const stream of this.#streams)
      if (stream.items.length > most) { most = stream.items.length; mark = stream.taken; }
    return { ...mark, connection: this.#mark.connection };
  }

  async call(name, data, { repeat = false } = {}) {
    const row = ROOM_CALLS.find((row) => row.join === name || row.leave === name);
    const backoff = new Backoff(this.#options.random);
    for (;;) {
      const calls = await this.#whenOnline();
      try {
        const result = await calls.call(name, data);
        if (row?.join === name) this.#rooms.set(roomKey(row, data), [name, data]);
        else if (row) this.#rooms.delete(roomKey(row, data));
        return result;
      } catch (problem) {
        if (problem instanceof Unwritten || (problem instanceof Lost && (repeat || row))) continue;
        if (!(problem instanceof Refused && problem.again && (repeat || row))) throw problem;
        const wait = backoff.nextSeconds(problem.retryAfter);
        if (problem.code === "RATE_LIMITED")
          this.#noCallsUntil = Math.max(this.#noCallsUntil, this.#clock.now() + wait);
        await this.#sleep(wait);
      }
    }
  }

  send(name, data) {
    const clientId = crypto.getRandomValues(new Uint32Array(4)).join("-");
    return this.call(name, { clientId, ...data }, { repeat: true });
  }

  async upload(file, options) {
    const { upload } = await import("./upload.js");
    return upload({
      base: this.#handshakeUrl.href.replace(/handshake\?.*/, ""), clock: this.#clock,
      fetch: (...request) => this.#options.fetch(...request),
      backoff: new Backoff(this.#options.random), sleep: (seconds) => this.#sleep(seconds),
      token: async () => {
        if (this.#failure) throw this.#failure;
        return this.#freshToken();
      },
      accepted: () => { this.#tokenRenewed = false; },
      renewToken: (rejected) => this.#renewToken(rejected),
      refuse: (code, message, retryAfter) => new Refused(code, message, retryAfter, null),
    }, file, options);
  }

  on(name, handler) {    // "*" is every event; the returned function removes the handler
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers.add(handler));
    return () => handlers.delete(handler);
  }

  [Symbol.asyncIterator]() {    // later events; a full iterator receives the rest once it is empty
    const stream = { items: [], taken: this.mark, wake: null };
    this.#streams.add(stream);
    const next = async () => {
      for (;;) {
        if (stream.items.length) {
          const [event, mark] = stream.items.shift();
          stream.taken = mark;
          this.#catchUp();
          return { value: event, done: false };
        }
        if (this.#failure && this.#failure.code !== 1000) throw this.#failure;
        if (this.#failure) return { value: undefined, done: true };
        await new Promise((wake) => { stream.wake = wake; });
      }
    };
    const leave = async () => { this.#streams.delete(stream); return { value: undefined, done: true }; };
    return { next, return: leave, [Symbol.asyncIterator]() { return this; } };
  }

  close() { this.#fail(new Closed(1000, "this chat is closed")); }

  // Waiting

  async #whenOnline() {
    for (;;) {
      if (this.#failure) throw this.#failure;
      const quiet = this.#noCallsUntil - this.#clock.now();
      if (quiet > 1e-6) await this.#sleep(quiet);
      else if (this.#session?.calls && !this.#session.calls.ended) return this.#session.calls;
      else await new Promise((wake) => this.#onlineWaiters.push(wake));
    }
  }

  #sleep(seconds) {
    return new Promise((resolve) => {
      const nap = { wake: () => { this.#clock.cancel(nap.timer); this.#sleeping.delete(nap); resolve(); } };
      nap.timer = this.#clock.after(seconds, nap.wake);
      this.#sleeping.add(nap);
    });
  }

  // Connections

  async #dial() {
    if (this.#failure) return;
    const session = this.#session = { calls: null, token: null, lastReceived: 0, behind: false, error: "", upSince: Infinity };
    try {
      session.token = await this.#freshToken();
    } catch (problem) {
      if (problem instanceof TypeError) this.#connectionEnded(session, ABNORMAL_CLOSE, String(problem));
      else this.#fail(problem);
      return;
    }
    if (this.#failure) return;
    const protocols = ["chatd.jsonrpc", "bearer." + session.token];
    const socket = session.socket = new this.#options.WebSocket(this.#address(), protocols);
    session.timer = this.#clock.after(HANDSHAKE_TIMEOUT_SECONDS,
      () => this.#connectionEnded(session, ABNORMAL_CLOSE, "the server sent no ready"));
    socket.addEventListener("message", ({ data }) => { if (session === this.#session) this.#receive(session, data); });
    socket.addEventListener("open", () => { session.opened = true; });
    socket.addEventListener("close", ({ code, reason }) =>
      session.opened || session.lastReceived || code !== ABNORMAL_CLOSE
        ? this.#connectionEnded(session, code, session.error || reason) : this.#fetchRefusal(session, reason));
    socket.addEventListener("error", () => {});
  }

  async #fetchRefusal(session, reason) {    // a WebSocket does not say why a handshake failed: ask the server
    let found = {};
    try {
      const answer = await this.#options.fetch?.(this.#handshakeUrl.href, { method: "POST" });
      if (answer?.ok) found = await answer.json();
    } catch { /* no network, or another server: connect again later */ }
    if (found.allowed === false) this.#connectionEnded(session, found.close, found.message);
    else this.#connectionEnded(session, ABNORMAL_CLOSE, reason);
  }

  #address() {
    const url = new URL(this.#url), { epoch, position, names, connection } = this.#mark;
    const fields = { epoch, pos: names.length ? position - 1 : position, connection };
    if (epoch) for (const [name, value] of Object.entries(fields)) if (value !== "") url.searchParams.set(name, value);
    return url.href;
  }

  #connectionEnded(session, code, reason, { retryAfter = null, catchingUp = false } = {}) {
    if (session !== this.#session) return;
    this.#session = null;
    this.#clock.cancel(session.timer);
    session.calls?.end();
    session.socket?.close();
    if (this.#failure) return;
    const now = this.#clock.now(), steady = now - session.upSince;
    if (steady >= 0) this.#downSince = now;
    if (steady >= STABLE_AFTER_SECONDS) this.#backoff.tries = 0;
    const wait = catchingUp ? 0 : this.#backoff.nextSeconds(retryAfter);
    const failure = this.#finalFailure(session, code, reason, now + wait - this.#downSince);
    if (failure) return this.#fail(failure);
    this.onstate("offline");
    this.#sleep(wait).then(() => this.#dial());
  }

  #finalFailure(session, code, reason, secondsDown) {
    if (secondsDown > this.#options.patience)
      return new Unreachable(`No connection to ${this.#url.host}: ${code} ${reason}`);
    if (CAN_RECONNECT[code] ?? code < 4000) return null;
    if (code !== SIGNED_OUT) return new Closed(code, reason);
    return this.#renewToken(session.token) ? null : new SignedOut(code, reason);
  }

  // The application's function is called once at a time: a refresh token may be used only once.
  async #freshToken() {
    if (this.#currentToken === null)
      await (this.#tokenAsked ??= (async () => { this.#currentToken = await this.#token(); })()
        .finally(() => { this.#tokenAsked = null; }));
    return this.#currentToken;
  }

  #renewToken(rejected) {    // whether to try another token: once, until one is accepted
    if (typeof this.#token === "string") return false;
    if (rejected !== this.#currentToken) return true;    // renewed meanwhile: calls and uploads use the same token
    if (this.#tokenRenewed) return false;
    this.#tokenRenewed = true;
    this.#currentToken = null;
    return true;
  }

  #fail(failure) {
    if (this.#failure) return;
    this.#failure = failure;
    if (this.#session) this.#connectionEnded(this.#session, 1000, "");
    for (const nap of [...this.#sleeping]) nap.wake();
    for (const wake of this.#onlineWaiters.splice(0)) wake();
    for (const stream of this.#streams) stream.wake?.();
    this.onstate("closed");
  }

  // Receiving

  #receive(session, text) {
    let message;
    try { message = JSON.parse(text); } catch {
      return this.#connectionEnded(session, 1007, "the server does not speak chatd's protocol");
    }
    session.lastReceived = this.#clock.now();
    if (message.method === undefined) session.calls?.answer(message.id, message.result, message.error);
    else if (session.calls) this.#push(message);
    else if (message.method === "ready") this.#onReady(session, message.params);
    else if (message.method === "error") session.error = message.params?.message ?? "";
  }

  #onReady(session, ready) {
    this.#clock.cancel(session.timer);
    this.#tokenRenewed = false;
    if (ready.recovered) this.#mark = { ...this.#mark, connection: ready.connection };
    else {
      if (this.#mark.epoch && this.#gapReason === null) this.#markBeforeGap = this.#mark;
      if (this.#mark.epoch) this.#gapReason = ready.reason ?? "none";
      this.#mark = { epoch: ready.epoch, position: ready.pos, names: [], connection: ready.connection };
      if (this.#gapReason === null) for (const stream of this.#streams) stream.taken = this.#mark;
    }
    this.ready = ready;
    session.upSince = session.lastReceived;
    session.calls = new Calls(session.socket, ready.limits ?? {}, this.#clock, () => this.#catchUp());
    for (const wake of this.#onlineWaiters.splice(0)) wake();
    this.#checkHeartbeat(session, ready.heartbeat ?? {});
    this.onstate("online");
    if (this.#gapReason !== null) this.#reportGap(session);
  }

  // After silence it sends a ping. Without an answer the connection is dead.
  #checkHeartbeat(session, { interval = 0, timeout = 20 }) {
    const look = () => {
      const pingedAt = this.#clock.now(), silent = pingedAt - session.lastReceived;
      if (silent < interval - 1e-3) return void (session.timer = this.#clock.after(interval - silent, look));
      session.calls.ping();
      session.timer = this.#clock.after(timeout, () => {
        if (session.lastReceived < pingedAt) this.#connectionEnded(session, ABNORMAL_CLOSE, "no answer to ping");
        else look();
      });
    };
    if (interval) look();
  }

  #push({ method: name, params: data, pos: position = null, room = null }) {
    const session = this.#session, event = { name, data, position, room };
    if (session.behind || includes(this.#mark, event)) return;
    for (const stream of this.#streams)
      if (stream.items.length >= this.#options.buffer) { session.behind = true; return; }
    this.#mark = after(this.#mark, event);
    this.#deliver(event);
  }

  #deliver(event) {
    const mark = this.#gapReason === null ? this.#mark : this.#markBeforeGap;
    for (const stream of this.#streams) { stream.items.push([event, mark]); stream.wake?.(); }
    for (const name of [event.name, "*"])
      for (const handler of this.#handlers.get(name) ?? [])
        try { handler(event); } catch (problem) { queueMicrotask(() => { throw problem; }); }
  }

  // First it joins the rooms again, then it delivers the gap. So what the application loads then is complete.
  async #reportGap(session) {
    await Promise.all([...this.#rooms].map(([key, [name, data]]) => this.#rejoin(session, key, name, data)));
    if (session !== this.#session) return;
    const gap = { name: "gap", data: this.#gapReason, position: null, room: null };
    this.#gapReason = null;
    this.#deliver(gap);
  }

  async #rejoin(session, key, name, data) {
    while (session === this.#session) {
      try { return await session.calls.call(name, data); } catch (problem) {
        if (!(problem instanceof Refused)) return;    // the connection has ended; the next one joins the rooms
        if (!problem.again) return this.#rooms.delete(key);
        await this.#sleep(this.#backoff.nextSeconds(problem.retryAfter));
      }
    }
  }

  #catchUp() {    // a full iterator has rejected events: once all are empty, request them
    const session = this.#session;
    if (!session?.behind || [...this.#streams].some((stream) => stream.items.length)) return;
    session.calls.ended = true;
    if (!session.calls.waiting.size)
      this.#connectionEnded(session, ABNORMAL_CLOSE, "catching up", { catchingUp: true });
  }
}
