// A server in memory and a clock that goes on when nothing else does: for client_cases.mjs.

export class Clock {
  #now = 0;
  #timers = [];
  now = () => this.#now;
  after = (seconds, act) => {
    const timer = { at: this.#now + seconds, act };
    this.#timers.push(timer);
    return timer;
  };
  cancel = (timer) => { this.#timers = this.#timers.filter((one) => one !== timer); };

  async run(seconds) {    // let so much time pass
    const until = this.#now + seconds;
    for (;;) {
      for (let i = 0; i < 20; i++) await null;
      await new Promise(setImmediate);
      const next = this.#timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#now = Math.max(this.#now, next.at);
      this.cancel(next);
      next.act();
    }
    this.#now = until;
  }
}

export class Server {
  epoch = "e0"; history = []; trimmed = 0; overlap = 0; position = 0;
  heartbeat = { interval: 25, timeout: 20 }; limits = {};
  sockets = []; refusals = []; closeCodes = []; messages = new Map(); silent = false;
  good = () => true; beforeAnswer = () => {};

  constructor(clock) {
    const server = this;
    this.clock = clock;
    this.WebSocket = class {
      readyState = 0; inbox = []; rooms = new Set(); calls = []; listeners = {};
      constructor(url, protocols) {
        const query = new URL(url).searchParams;
        Object.assign(this, { url, query, protocols, at: clock.now(), name: "c" + server.sockets.length });
        server.sockets.push(this);
        queueMicrotask(() => server.#welcome(this));
      }
      addEventListener(name, listener) { this.listeners[name] = listener; }
      send(text) { if (this.readyState === 1) server.receive(this, JSON.parse(text)); }
      close() { this.readyState = 3; }
      say(message) { if (this.readyState === 1) this.listeners.message({ data: JSON.stringify(message) }); }
      cut(code = 1006, reason = "") {
        if (this.readyState > 1) return;
        this.readyState = 3;
        queueMicrotask(() => this.listeners.close({ code, reason }));
      }
    };
  }

  get socket() { return this.sockets.at(-1); }

  #welcome(socket) {
    const code = this.closeCodes.shift();
    if (code) return socket.cut(code);
    socket.readyState = 1;
    if (!this.good(socket.protocols[1])) {
      socket.say({ method: "error", params: { code: "AUTH_INVALID", message: "The token has expired" } });
      return socket.cut(4401);
    }
    const epoch = socket.query.get("epoch"), from = Number(socket.query.get("pos"));
    const reason = epoch === null ? "none" : epoch !== this.epoch ? "epoch" : from < this.trimmed ? "trimmed" : "";
    const params = { connection: socket.name, user: 1, epoch: this.epoch, pos: this.position, recovered: !reason,
      reason, heartbeat: this.heartbeat, limits: this.limits };
    socket.say({ method: "ready", params });
    if (reason) return;
    const last = this.sockets.find((one) => one.name === socket.query.get("connection"));
    socket.rooms = new Set(last?.rooms);
    for (const entry of this.history) if (entry.position > from - this.overlap) this.#tell(socket, entry);
  }

  publish(names = ["event"], room = null, split = false) {
    this.position++;
    for (const name of names) {
      const entry = { position: this.position, name, room };
      this.history.push(entry);
      for (const socket of this.sockets) this.#tell(socket, entry);
      if (split) this.cutAll();
    }
  }

  #tell(socket, { position, name, room }) {
    if (room === null || socket.rooms.has(room)) socket.say({ method: name, params: { n: position }, pos: position });
  }

  cutAll(code) { for (const socket of this.sockets) socket.cut(code); }

  restore() {
    this.history = [];
    this.position = 0;
    this.epoch += "'";
    for (const socket of this.sockets) socket.rooms = new Set();
    this.cutAll();
  }

  receive(socket, { id, method, params }) {
    socket.calls.push([method, params]);
    if (this.silent) return;
    if (method === "rpc.ping") return socket.say({ id, result: "pong" });
    const refusal = this.refusals.shift();
    if (refusal) return socket.say({ id, error: { message: "no", ...refusal } });
    if (method === "conversation:join") socket.rooms.add(params.conversationId);
    if (method === "conversation:leave") socket.rooms.delete(params.conversationId);
    if (method === "message:send" && !this.messages.has(params.clientId)) {
      this.publish(["message:created"]);
      this.messages.set(params.clientId, this.position);
    }
    this.beforeAnswer(socket, method);
    socket.say({ id, result: { ok: true } });
  }
}
