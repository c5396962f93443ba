// chatd's client for browsers and Node: it misses nothing, doubles nothing, and says so where it can't help it.
//
//   import { connect } from "/client.js";
//   const chat = connect("https://chat.example", { token });
//   chat.on("message:created", (event) => show(event.data));
//   chat.on("gap", (event) => loadAnew(event.data));             // why: epoch, trimmed, too_far, connection, none
//   await chat.call("conversation:join", { conversationId });    // the ack; throws Refused
//   await chat.send("message:send", { conversationId, content }); // once, across reconnects and restarts
//   for await (const event of chat) ...                          // { name, data, position, room }
//   chat.close();
//
// connect(url, options): `token` is a string, or an async function that is asked for one at first and whenever the last
// is no good any more (a TypeError of it, fetch's without a network, is tried again). `namespace` ("/chat"), `dialect`;
// `resume`: the `chat.mark` of an earlier chat; `buffer` (1000): how many events may wait for an iterator; `patience`:
// seconds without a connection before it gives up; `WebSocket`, `fetch`, `random` and `clock` stand in for the global
// ones. Node has a WebSocket of its own from 22 on; under Node 20 give the one of the package ws: connect(url, { token,
// WebSocket }).
//
// It is chatd.client (Python) in another language, and its docstrings say why things are so.

const RETURNS = { 4400: false, 4401: false, 4403: false, 4404: false, 4405: false, 4409: false, 1009: false,
  1003: false, 4029: true, 1011: true, 1013: true, 1012: true, 4008: true };
const WORDS = { "-32602": "BAD_REQUEST", "-32700": "BAD_REQUEST", "-32600": "BAD_REQUEST", "-32601": "BAD_REQUEST",
  "-32001": "AUTH_INVALID", "-32003": "FORBIDDEN", "-32004": "NOT_FOUND", "-32009": "CONFLICT", "-32013": "TOO_LARGE",
  "-32029": "RATE_LIMITED", "-32603": "INTERNAL", "-32050": "UNAVAILABLE" };
const REPEATS = ["RATE_LIMITED", "INTERNAL", "UNAVAILABLE"];
const ROOMS = [
  { join: "conversation:join", leave: "conversation:leave", field: "conversationId" },
  { join: "join-conversation", leave: "leave-conversation", field: "conversationId" },
  { join: "join_conversation", leave: "leave_conversation", field: "conversationId" },
  { join: "join_room", leave: null, field: "roomId" },
];
export const TABLES = { RETURNS, WORDS, REPEATS, ROOMS };

const FIRST = 0.5, MOST = 30, STEADY = 10, HELLO = 10, LOST = 1006, SIGNED_OUT = 4401;
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
    Object.assign(this, { code, retryAfter, body, again: REPEATS.includes(code) });
  }
}
class Unwritten extends Error {}

export const connect = (url, options) => new Chat(url, options);

// Marks: where a stream of events goes on. See chatd/client/events.py.
const knows = (mark, event) => event.position !== null && event.position <= mark.position &&
  (event.position < mark.position || mark.names.includes(event.name));

function after(mark, event) {
  const same = event.position === mark.position;
  if (event.position === null || (same && !mark.names.length)) return mark;
  return { ...mark, position: event.position, names: same ? [...mark.names, event.name] : [event.name] };
}

const roomKey = (row, data) => row.join + " " + (Array.isArray(data) ? data[0] : data?.[row.field]);

function refusal(error) {
  const said = error.data?.error && typeof error.data.error === "object" ? error.data.error : error.data;
  const code = Object.values(WORDS).includes(said?.code) ? said.code : WORDS[error.code] ?? "INTERNAL";
  return new Refused(code, error.message, said?.retryAfter ?? null, error.data);
}

class Backoff {
  tries = 0;
  constructor(random) { this.random = random; }
  wait(asked) { return Math.max(this.random() * Math.min(MOST, FIRST * 2 ** this.tries++), asked ?? 0); }
}

// One connection's calls: written at the server's pace, each answered once.

class Calls {
  waiting = new Map(); ended = false;
  #queue = []; #number = 0; #due = 0; #timer = null;

  constructor(socket, limits, clock, changed) {
    Object.assign(this, { socket, clock, changed });
    this.most = limits.message_bytes ?? 0;
    this.interval = limits.calls_per_second ? 1 / limits.calls_per_second : 0;
    this.burst = limits.calls_burst || limits.calls_per_second || 1;
  }

  ask(method, params) {
    const id = ++this.#number;
    const text = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    return new Promise((resolve, reject) => {
      if (this.ended) return reject(new Unwritten());
      if (this.most && new TextEncoder().encode(text).length > this.most)
        return reject(new Refused("TOO_LARGE", `The server takes at most ${this.most} bytes`));
      const call = { text, written: false, resolve, reject };
      this.waiting.set(id, call);
      this.#put(call);
    });
  }

  ping() { this.#put({ text: '{"jsonrpc":"2.0","id":"ping","method":"rpc.ping"}' }); }

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

  #put(call) {
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
  ready = null;          // what the server said when it was last connected to
  onstate = () => {};    // called with "online", "offline" (it comes back by itself) and "closed"
  #url; #why; #token; #shown = null; #options; #clock; #backoff;
  #mark; #before; #owed = null;
  #rooms = new Map(); #handlers = new Map(); #streams = new Set(); #sleeping = new Set();
  #session = null; #online = []; #failure = null;
  #quietUntil = 0; #renewed = false; #downSince;

  constructor(url, { token, namespace = "/chat", dialect = null, resume = null, buffer = 1000, patience = Infinity,
    WebSocket = globalThis.WebSocket, fetch = globalThis.fetch, random = Math.random, clock = CLOCK } = {}) {
    if (!WebSocket) throw new ChatError("There is no WebSocket here: use Node 22, or pass that of the package ws");
    this.#why = new URL(url.replace(/^ws/, "http").replace(/\/+$/, "") + "/handshake");
    this.#why.searchParams.set("namespace", "/" + namespace.replace(/^\//, ""));
    if (dialect) this.#why.searchParams.set("dialect", dialect);
    this.#url = new URL(url.replace(/^http/, "ws").replace(/\/+$/, "") + "/" + namespace.replace(/^\//, ""));
    this.#url.searchParams.set("rooms", "1");
    if (dialect) this.#url.searchParams.set("dialect", dialect);
    [this.#token, this.#shown] = [token, typeof token === "string" ? token : null];
    [this.#clock, this.#backoff] = [clock, new Backoff(random)];
    this.#options = { WebSocket, fetch, random, buffer, patience };
    this.#mark = resume ?? { epoch: "", position: 0, names: [], connection: "" };
    this.#downSince = clock.now();
    this.#dial();
  }

  // What its user does

  get connected() { return this.#session?.calls != null; }

  get mark() {
    let mark = this.#owed === null ? this.#mark : this.#before, most = 0;
    for (const stream of this.#streams)
      if (stream.items.length > most) { most = stream.items.length; mark = stream.taken; }
    return { ...mark, connection: this.#mark.connection };
  }

  async call(name, data, { repeat = false } = {}) {
    const row = ROOMS.find((row) => row.join === name || row.leave === name);
    const backoff = new Backoff(this.#options.random);
    for (;;) {
      const calls = await this.#whenOnline();
      try {
        const result = await calls.ask(name, data);
        if (row?.join === name) this.#rooms.set(roomKey(row, data), [name, data]);
        else if (row) this.#rooms.delete(roomKey(row, data));
        return result;
      } catch (problem) {
        if (problem instanceof Unwritten || (problem instanceof Lost && (repeat || row))) continue;
        if (!(problem instanceof Refused && problem.again && (repeat || row))) throw problem;
        const wait = backoff.wait(problem.retryAfter);
        if (problem.code === "RATE_LIMITED") this.#quietUntil = Math.max(this.#quietUntil, this.#clock.now() + wait);
        await this.#sleep(wait);
      }
    }
  }

  send(name, data) {
    const clientId = crypto.getRandomValues(new Uint32Array(4)).join("-");
    return this.call(name, { clientId, ...data }, { repeat: true });
  }

  on(name, handler) {    // "*" is every event; the answer takes the handler away again
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers.add(handler));
    return () => handlers.delete(handler);
  }

  [Symbol.asyncIterator]() {    // what happens from now on; an iterator that is full is told the rest when it is empty
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
      const quiet = this.#quietUntil - this.#clock.now();
      if (quiet > 1e-6) await this.#sleep(quiet);
      else if (this.#session?.calls && !this.#session.calls.ended) return this.#session.calls;
      else await new Promise((wake) => this.#online.push(wake));
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
    const session = this.#session = { calls: null, heard: 0, behind: false, why: "", upSince: Infinity };
    try {
      this.#shown ??= await this.#token();
    } catch (problem) {
      if (problem instanceof TypeError) this.#ended(session, LOST, String(problem));
      else this.#fail(problem);
      return;
    }
    if (this.#failure) return;
    const protocols = ["chatd.jsonrpc", "bearer." + this.#shown];
    const socket = session.socket = new this.#options.WebSocket(this.#address(), protocols);
    session.timer = this.#clock.after(HELLO, () => this.#ended(session, LOST, "the server does not say ready"));
    socket.addEventListener("message", ({ data }) => { if (session === this.#session) this.#hear(session, data); });
    socket.addEventListener("open", () => { session.opened = true; });
    socket.addEventListener("close", ({ code, reason }) => session.opened || session.heard || code !== LOST
      ? this.#ended(session, code, session.why || reason) : this.#askWhy(session, reason));
    socket.addEventListener("error", () => {});
  }

  async #askWhy(session, reason) {    // a WebSocket does not tell a refused handshake from a dead network: ask
    let found = {};
    try {
      const answer = await this.#options.fetch?.(this.#why.href, { method: "POST" });
      if (answer?.ok) found = await answer.json();
    } catch { /* no network, or no chatd: it comes back later */ }
    if (found.allowed === false) this.#ended(session, found.close, found.message);
    else this.#ended(session, LOST, reason);
  }

  #address() {
    const url = new URL(this.#url), { epoch, position, names, connection } = this.#mark;
    const said = { epoch, pos: names.length ? position - 1 : position, connection };
    if (epoch) for (const [name, value] of Object.entries(said)) if (value !== "") url.searchParams.set(name, value);
    return url.href;
  }

  #ended(session, code, reason, { retryAfter = null, catchingUp = false } = {}) {
    if (session !== this.#session) return;
    this.#session = null;
    this.#clock.cancel(session.timer);
    session.calls?.end();
    session.socket?.close();
    if (this.#failure) return;
    const now = this.#clock.now(), steady = now - session.upSince;
    if (steady >= 0) this.#downSince = now;
    if (steady >= STEADY) this.#backoff.tries = 0;
    const wait = catchingUp ? 0 : this.#backoff.wait(retryAfter);
    const failure = this.#verdict(code, reason, now + wait - this.#downSince);
    if (failure) return this.#fail(failure);
    this.onstate("offline");
    this.#sleep(wait).then(() => this.#dial());
  }

  #verdict(code, reason, down) {
    if (down > this.#options.patience) return new Unreachable(`No connection to ${this.#url.host}: ${code} ${reason}`);
    if (RETURNS[code] ?? code < 4000) return null;
    if (code !== SIGNED_OUT) return new Closed(code, reason);
    if (typeof this.#token === "string" || this.#renewed) return new SignedOut(code, reason);
    this.#renewed = true;
    this.#shown = null;
    return null;
  }

  #fail(failure) {
    if (this.#failure) return;
    this.#failure = failure;
    if (this.#session) this.#ended(this.#session, 1000, "");
    for (const nap of [...this.#sleeping]) nap.wake();
    for (const wake of this.#online.splice(0)) wake();
    for (const stream of this.#streams) stream.wake?.();
    this.onstate("closed");
  }

  // Hearing

  #hear(session, text) {
    let said;
    try { said = JSON.parse(text); } catch { return this.#ended(session, 1007, "that is no chatd"); }
    session.heard = this.#clock.now();
    if (said.method === undefined) session.calls?.answer(said.id, said.result, said.error);
    else if (session.calls) this.#push(said);
    else if (said.method === "ready") this.#begin(session, said.params);
    else if (said.method === "error") session.why = said.params?.message ?? "";
  }

  #begin(session, ready) {
    this.#clock.cancel(session.timer);
    this.#renewed = false;
    if (ready.recovered) this.#mark = { ...this.#mark, connection: ready.connection };
    else {
      if (this.#mark.epoch && this.#owed === null) this.#before = this.#mark;
      if (this.#mark.epoch) this.#owed = ready.reason ?? "none";
      this.#mark = { epoch: ready.epoch, position: ready.pos, names: [], connection: ready.connection };
      if (this.#owed === null) for (const stream of this.#streams) stream.taken = this.#mark;
    }
    this.ready = ready;
    session.upSince = session.heard;
    session.calls = new Calls(session.socket, ready.limits ?? {}, this.#clock, () => this.#catchUp());
    for (const wake of this.#online.splice(0)) wake();
    this.#watch(session, ready.heartbeat ?? {});
    this.onstate("online");
    if (this.#owed !== null) this.#mend(session);
  }

  #watch(session, { interval = 0, timeout = 20 }) {    // silence: ask; still silence: it is dead
    const look = () => {
      const asked = this.#clock.now(), silent = asked - session.heard;
      if (silent < interval - 1e-3) return void (session.timer = this.#clock.after(interval - silent, look));
      session.calls.ping();
      session.timer = this.#clock.after(timeout, () => {
        if (session.heard < asked) this.#ended(session, LOST, "no answer to ping");
        else look();
      });
    };
    if (interval) look();
  }

  #push({ method: name, params: data, pos: position = null, room = null }) {
    const session = this.#session, event = { name, data, position, room };
    if (session.behind || knows(this.#mark, event)) return;
    for (const stream of this.#streams)
      if (stream.items.length >= this.#options.buffer) { session.behind = true; return; }
    this.#mark = after(this.#mark, event);
    this.#tell(event);
  }

  #tell(event) {
    const mark = this.#owed === null ? this.#mark : this.#before;
    for (const stream of this.#streams) { stream.items.push([event, mark]); stream.wake?.(); }
    for (const name of [event.name, "*"])
      for (const handler of this.#handlers.get(name) ?? [])
        try { handler(event); } catch (problem) { queueMicrotask(() => { throw problem; }); }
  }

  async #mend(session) {    // join the rooms again, then tell of the gap: whoever loads anew then misses nothing
    await Promise.all([...this.#rooms].map(([key, [name, data]]) => this.#join(session, key, name, data)));
    if (session !== this.#session) return;
    const gap = { name: "gap", data: this.#owed, position: null, room: null };
    this.#owed = null;
    this.#tell(gap);
  }

  async #join(session, key, name, data) {
    while (session === this.#session) {
      try { return await session.calls.ask(name, data); } catch (problem) {
        if (!(problem instanceof Refused)) return;    // the connection has ended, and the next one mends
        if (!problem.again) return this.#rooms.delete(key);
        await this.#sleep(this.#backoff.wait(problem.retryAfter));
      }
    }
  }

  #catchUp() {    // events were left out because an iterator was full: once all are empty, ask for them
    const session = this.#session;
    if (!session?.behind || [...this.#streams].some((stream) => stream.items.length)) return;
    session.calls.ended = true;
    if (!session.calls.waiting.size) this.#ended(session, LOST, "catching up", { catchingUp: true });
  }
}
