// client.js against a server in memory, in virtual time: the cases of tests/chatd/client/test_chat.py.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Closed, connect, Lost, Refused, SignedOut, Unreachable } from "../../chatd/web/client.js";
import { Clock, Server } from "./client_fake.mjs";

const ROOM = { conversationId: "r" };

function scene(options = {}) {
  const clock = new Clock(), server = new Server(clock), received = [];
  const chat = connect("http://chat.test", { token: "t", WebSocket: server.WebSocket, fetch: null, clock, random: () => 0.5, ...options });
  chat.on("*", (event) => received.push(event));
  return { clock, server, chat, received, positions: () => received.map((event) => event.position) };
}

const settled = (promise) => {
  const found = { promise };
  promise.then((value) => { found.value = value; }, (error) => { found.error = error; });
  return found;
};

test("an event comes with all that was said of it, the token goes by the subprotocol", async () => {
  const { clock, server, received, chat } = scene({ dialect: "colon" });
  await clock.run(0);
  server.socket.say({ method: "typing", params: { userId: 2 }, room: "r" });
  assert.deepEqual(received, [{ name: "typing", data: { userId: 2 }, position: null, room: "r" }]);
  assert.deepEqual(server.socket.protocols, ["chatd.jsonrpc", "bearer.t"]);
  assert.equal(server.socket.url, "ws://chat.test/chat?rooms=1&dialect=colon");
  assert.equal(chat.ready.user, 1);
});

test("what is missed is told once and in order", async () => {
  const { clock, server, chat, positions } = scene();
  server.overlap = 3;
  await clock.run(0);
  const joined = settled(chat.call("conversation:join", ROOM));
  await clock.run(0);
  assert.deepEqual(joined.value, { ok: true });
  server.publish(["a"], "r");
  server.cutAll();
  server.publish(["a"], "r");
  server.publish();
  await clock.run(1);
  server.publish();
  assert.deepEqual(positions(), [1, 2, 3, 4]);
  assert.equal(server.socket.url, "ws://chat.test/chat?rooms=1&epoch=e0&pos=0&connection=c0");
});

test("a cut between two names of one position loses neither", async () => {
  const { clock, server, received } = scene();
  await clock.run(0);
  server.publish(["new_message", "message_notification"], null, true);
  await clock.run(1);
  assert.deepEqual(received.map((event) => event.name), ["new_message", "message_notification"]);
});

test("what the server says as of the position of ready is received", async () => {
  const { clock, server, received } = scene();
  await clock.run(0);
  server.socket.say({ method: "unread:count", params: {}, pos: 0 });
  server.socket.say({ method: "unread:count", params: {}, pos: 0 });
  assert.equal(received.length, 2);
});

test("a gap is told once the rooms are joined again, and is owed until then", async () => {
  const { clock, server, chat, received } = scene();
  await clock.run(0);
  for (const [name, data] of [["conversation:join", ROOM], ["conversation:join", { conversationId: "x" }],
    ["conversation:leave", { conversationId: "x" }]]) chat.call(name, data);
  await clock.run(0);
  server.publish();
  server.beforeAnswer = (socket, name) => {
    if (name === "conversation:join" && server.sockets.length === 2) socket.cut();
  };
  server.restore();
  await clock.run(5);
  assert.deepEqual(received.map((event) => event.name), ["event", "gap"]);
  assert.equal(received[1].data, "epoch");
  assert.equal(server.sockets.length, 3);
  assert.deepEqual(server.socket.calls, [["conversation:join", ROOM]]);
  server.publish(["m"], "r");
  assert.equal(received.length, 3);
  server.refusals.push({ code: -32004 });
  server.restore();
  await clock.run(5);
  server.restore();
  await clock.run(5);
  assert.deepEqual(server.socket.calls, []);
});

test("a send is repeated under its name until it is answered; a call says that it is lost", async () => {
  const { clock, server, chat, received } = scene();
  let cuts = 3;
  server.beforeAnswer = (socket) => { if (cuts-- > 0) socket.cut(); };
  const sent = settled(chat.send("message:send", { content: "hi" }));
  await clock.run(20);
  assert.deepEqual(sent.value, { ok: true });
  assert.equal(server.messages.size, 1);
  assert.equal(server.sockets.length, 4);
  assert.equal(received.length, 1);
  cuts = 1;
  const called = settled(chat.call("message:edit", {}));
  await clock.run(1);
  assert.ok(called.error instanceof Lost);
});

test("refusals: final, after a while, in the words of the dialect", async () => {
  const { clock, server, chat } = scene();
  await clock.run(0);
  const body = { ok: false, error: { code: "FORBIDDEN", message: "no" } };
  server.refusals.push({ code: -32003, data: body });
  const called = settled(chat.call("message:edit", {}));
  await clock.run(0);
  assert.ok(called.error instanceof Refused);
  assert.deepEqual([called.error.code, called.error.again, called.error.body], ["FORBIDDEN", false, body]);
  for (const [refusal, wait] of [[{ code: -32029, data: { error: { retryAfter: 7 } } }, 7], [{ code: -32050 }, 0.25]]) {
    server.refusals.push(refusal);
    const sent = settled(chat.send("message:send", {}));
    await clock.run(wait - 0.01);
    assert.equal(sent.value, undefined);
    await clock.run(0.02);
    assert.ok(sent.value);
  }
});

test("calls keep the server's pace, and what is too large is not sent", async () => {
  const { clock, server, chat } = scene();
  server.limits = { calls_per_second: 10, calls_burst: 20, message_bytes: 200 };
  await clock.run(0);
  for (let i = 0; i < 50; i++) chat.call("message:read", {});
  await clock.run(2.95);
  assert.ok(server.socket.calls.length < 50);
  await clock.run(0.06);
  assert.equal(server.socket.calls.length, 50);
  await assert.rejects(chat.call("message:send", { content: "x".repeat(200) }), /TOO_LARGE/);
});

for (const code of [1000, 1006, 1011, 1012, 1013, 4008, 4029])
  test(`it comes back after ${code}`, async () => {
    const { clock, server, positions } = scene();
    await clock.run(0);
    server.cutAll(code);
    server.publish();
    await clock.run(1);
    assert.deepEqual(positions(), [1]);
  });

for (const code of [1009, 4400, 4403, 4404, 4999])
  test(`it does not come back after ${code}`, async () => {
    const { clock, server, chat } = scene();
    await clock.run(0);
    const next = settled(chat[Symbol.asyncIterator]().next());
    server.cutAll(code);
    await clock.run(100);
    assert.equal(next.error.code, code);
    await assert.rejects(chat.call("message:read", {}), Closed);
    assert.equal(server.sockets.length, 1);
  });

test("waits grow, and shrink again after a steady connection; patience ends", async () => {
  const { clock, server } = scene();
  await clock.run(0);
  for (const wait of [0.25, 0.5, 1, 2, 4, 8, 15, 15]) {
    const count = server.sockets.length;
    server.cutAll();
    await clock.run(wait - 0.01);
    assert.equal(server.sockets.length, count);
    await clock.run(0.02);
    assert.equal(server.sockets.length, count + 1);
  }
  await clock.run(11);
  const at = clock.now();
  server.cutAll();
  await clock.run(1);
  assert.equal(server.socket.at - at, 0.25);
  const other = scene({ patience: 60 });
  other.server.closeCodes = Array(100).fill(1006);
  const called = settled(other.chat.call("message:read", {}));
  await other.clock.run(100);
  assert.ok(called.error instanceof Unreachable);
});

test("a dead connection is found and replaced", async () => {
  const { clock, server, positions } = scene();
  await clock.run(110);
  assert.equal(server.sockets.length, 1);
  assert.equal(server.socket.calls.length, 4);
  server.silent = true;
  await clock.run(50);
  assert.ok(server.sockets.length > 1);
  server.silent = false;
  server.publish();
  assert.deepEqual(positions(), [1]);
});

test("a token that is only a string ends it; a function is asked for a fresh one", async () => {
  const plain = scene();
  plain.server.good = () => false;
  const called = settled(plain.chat.call("message:read", {}));
  await plain.clock.run(1);
  assert.ok(called.error instanceof SignedOut);
  assert.match(called.error.message, /The token has expired/);
  let count = 0;
  const { clock, server, chat, positions } = scene({ token: async () => "t" + count++ });
  await clock.run(0);
  server.good = (token) => token === "bearer.t1";
  server.cutAll(4401);
  server.publish();
  await clock.run(2);
  assert.deepEqual(positions(), [1]);
  server.good = () => false;
  server.cutAll(4401);
  await clock.run(5);
  assert.equal(count, 3);
  await assert.rejects(chat.call("message:read", {}), SignedOut);
});

test("a slow iterator loses nothing, and may call", async () => {
  const { clock, server, chat } = scene({ buffer: 10 });
  const seen = [];
  let slow = true;
  (async () => {
    for await (const event of chat) {
      seen.push(event.position);
      if (slow) await chat.call("message:read", {});
    }
  })();
  await clock.run(0);
  for (let i = 0; i < 100; i++) server.publish();
  await clock.run(5);
  assert.deepEqual(seen, Array.from({ length: 100 }, (_, i) => i + 1));
  assert.ok(server.sockets.length > 1);
  slow = false;
  chat.close();
  await clock.run(0);
  assert.equal(chat.connected, false);
});

test("a mark goes on after what was read", async () => {
  const { clock, server, chat } = scene();
  const events = chat[Symbol.asyncIterator]();
  await clock.run(0);
  for (let i = 0; i < 5; i++) server.publish();
  await events.next();
  await events.next();
  const mark = chat.mark;
  chat.close();
  const received = [];
  const other = connect("http://chat.test", { token: "t", WebSocket: server.WebSocket, clock, resume: mark });
  other.on("*", (event) => received.push(event.position));
  await clock.run(0);
  assert.deepEqual(received, [3, 4, 5]);
});

test("a handshake that the server refuses is the end, and calls settle", async () => {
  const asked = [];
  const fetch = async (url, { method }) => {
    asked.push([method, url]);
    return { ok: true, json: async () => ({ allowed: false, close: 4403, message: "add it to server.allowed_origins" }) };
  };
  const { clock, server, chat } = scene({ fetch, dialect: "colon" });
  server.closeCodes = Array(100).fill(1006);
  const called = settled(chat.call("message:read", {}));
  await clock.run(1);
  assert.ok(called.error instanceof Closed);
  assert.equal(called.error.message, "4403 add it to server.allowed_origins");
  assert.equal(server.sockets.length, 1);
  assert.deepEqual(asked, [["POST", "http://chat.test/handshake?namespace=%2Fchat&dialect=colon"]]);
});

test("a handshake that fails for another reason is tried again", async () => {
  const answers = [async () => { throw new TypeError("fetch failed"); }, async () => ({ ok: false }),
    async () => ({ ok: true, json: async () => ({ allowed: true }) }),
    async () => ({ ok: true, json: async () => { throw new SyntaxError("no JSON"); } })];
  const { clock, server, chat } = scene({ fetch: () => answers.shift()() });
  server.closeCodes = Array(4).fill(1006);
  const called = settled(chat.call("message:read", {}));
  await clock.run(30);
  assert.equal(server.sockets.length, 5);
  assert.deepEqual([called.value, answers.length], [{ ok: true }, 0]);
});

test("without a WebSocket it says what to do", () => {
  assert.throws(() => connect("http://chat.test", { token: "t", WebSocket: null }), /use Node 22, or pass/);
});
