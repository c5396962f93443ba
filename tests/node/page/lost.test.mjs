// Nothing is lost: servers that end, pages that are closed, networks that go, two tabs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { io } from "socket.io-client";
import { AWAY, composer, contents, eventually, message, openTalk, say, scene, signIn } from "./harness.mjs";

test("two pages and a Socket.IO client of another dialect, the server killed twice", () => scene("kills", {}, async ({ server, open }) => {
  const [romeo, juliet, nurse] = await Promise.all(["romeo", "juliet", "nurse"].map((name) => server.register(name)));
  const talk = await romeo.group("Verona", [juliet, nurse]);
  const r = await open({ watch: AWAY }), j = await open({ watch: AWAY });
  for (const [page, name] of [[r, "romeo"], [j, "juliet"]]) {
    await signIn(page, server, name);
    await openTalk(page, "Verona");
  }
  const received = [];
  const other = io(`${server.url}/chat`, { auth: { token: nurse.token, recovery: true, dialect: "kebab" }, transports: ["websocket"], reconnectionDelay: 50, reconnectionDelayMax: 200 });
  other.on("receive-message", (one) => received.push(one.content));
  await new Promise((resolve) => other.on("connect", resolve));
  const ack = await other.emitWithAck("join-conversation", { conversationId: talk, userId: nurse.id });
  assert.ok(ack, JSON.stringify(ack));
  const sent = [];
  for (let round = 0; round < 3; round++) {
    for (let number = 0; number < 4; number++) {
      const text = `line ${round}.${number}`;
      sent.push(text);
      await say(number % 2 ? r : j, text);
      await message(number % 2 ? j : r, text).waitFor();
      if (number === 2 && round < 2) {
        await server.end("SIGKILL");
        await say(r, `away ${round}`);
        await r.locator(".message.waiting", { hasText: `away ${round}` }).waitFor();
        sent.push(`away ${round}`);
        await server.start();
        await message(j, `away ${round}`).waitFor();
      }
    }
  }
  for (const page of [r, j]) await eventually(async () => assert.deepEqual(await contents(page), sent));
  assert.equal(await r.locator(".message.waiting").count(), 0);
  assert.deepEqual(await romeo.history(talk), sent);
  await eventually(() => assert.deepEqual(received, sent));
  other.close();
}));

test("what is typed offline survives a reload without a network, and is sent once", () => scene("offline", {}, async ({ server, open }) => {
  const [romeo, juliet] = [await server.register("romeo"), await server.register("juliet")];
  const talk = await romeo.group("Verona", [juliet]);
  await romeo.send(talk, "before");
  const page = await open({ watch: AWAY });
  await signIn(page, server, "juliet");
  await openTalk(page, "Verona");
  await message(page, "before").waitFor();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForTimeout(2500);    // what is shown is kept two seconds after it changes
  await page.context().setOffline(true);
  await server.end("SIGKILL");
  await say(page, "written offline");
  await page.locator(".message.waiting", { hasText: "written offline" }).waitFor();
  await composer(page).fill("a draft");
  await page.reload();
  await message(page, "before").waitFor();
  await page.locator(".message.waiting", { hasText: "written offline" }).waitFor();
  assert.equal(await composer(page).inputValue(), "a draft");
  await page.getByText("Offline.").first().waitFor();
  await server.start();
  await page.context().setOffline(false);
  await eventually(async () => assert.deepEqual(await romeo.history(talk), ["before", "written offline"]));
  await eventually(async () => assert.equal(await page.locator(".message.waiting").count(), 0));
  assert.deepEqual(await contents(page), ["before", "written offline"]);
}));

test("two tabs show the same, and send each message once", () => scene("tabs", {}, async ({ server, open }) => {
  const romeo = await server.register("romeo"), talk = await romeo.group("Verona", []);
  const one = await open({ watch: AWAY });
  await signIn(one, server, "romeo");
  const two = await one.context().newPage();
  await two.goto(server.url);
  for (const page of [one, two]) await openTalk(page, "Verona");
  await say(one, "from the first");
  await message(two, "from the first").waitFor();
  await server.end("SIGKILL");
  await say(one, "first, away");
  await say(two, "second, away");
  await one.locator(".message.waiting", { hasText: "second, away" }).waitFor();
  await two.close();
  await server.start();
  await eventually(async () => assert.deepEqual(await romeo.history(talk), ["from the first", "first, away", "second, away"]));
  await eventually(async () => assert.deepEqual(await contents(one), ["from the first", "first, away", "second, away"]));
}));

test("a refused message says why, and goes when it is tried again or discarded", () => scene("refused", {}, async ({ server, open }) => {
  const [romeo, juliet] = [await server.register("romeo"), await server.register("juliet", "Juliet")];
  const talk = (await romeo.ask("POST", "/v1/conversations", { type: "private", memberIds: [juliet.id] })).id;
  await juliet.ask("POST", `/v1/users/${romeo.id}/block`);
  const page = await open();
  await signIn(page, server, "romeo");
  await openTalk(page, "Juliet");
  await say(page, "Speak again, bright angel");
  const refused = page.locator(".message.refused");
  await refused.locator(".error").waitFor();
  await page.reload();
  await refused.waitFor();
  await juliet.ask("DELETE", `/v1/users/${romeo.id}/block`);
  await refused.getByRole("button", { name: "Try again" }).click();
  await eventually(async () => assert.deepEqual(await juliet.history(talk), ["Speak again, bright angel"]));
  assert.equal(await refused.count(), 0);
}));

test("thirty messages at once all go out in order, and a discarded upload does not", () => scene("many", {}, async ({ server, open }) => {
  const romeo = await server.register("romeo"), talk = await romeo.group("Verona", []);
  const page = await open({ watch: AWAY });
  await signIn(page, server, "romeo");
  await openTalk(page, "Verona");
  const sent = Array.from({ length: 30 }, (_, number) => `quick ${number}`);
  for (const text of sent) await say(page, text);
  await eventually(async () => assert.deepEqual(await romeo.history(talk), sent));
  await eventually(async () => assert.equal(await page.locator(".message.waiting").count(), 0));
  const file = { name: "large.txt", mimeType: "text/plain", buffer: Buffer.alloc(20_000_000, "a line of the upload\n") };
  await page.locator(".composer input[type=file]").setInputFiles([file]);
  await composer(page).press("Enter");
  await page.locator(".message.waiting").getByRole("button", { name: "Discard" }).click();
  await say(page, "after it");
  await eventually(async () => assert.deepEqual(await romeo.history(talk), [...sent, "after it"]));
  await page.reload();
  await message(page, "after it").waitFor();
  assert.equal(await page.locator(".message.waiting").count(), 0, "it does not come back");
}));
