// Reading: long conversations, unread lines, places that stay, search, pictures, the keyboard.
import assert from "node:assert/strict";
import { test } from "node:test";
import { pngOf } from "./png.mjs";
import { composer, contents, eventually, message, openTalk, scene, signIn } from "./harness.mjs";

const MANY = 400;

async function filled(server, count = MANY) {
  const [romeo, juliet] = [await server.register("romeo", "Romeo"), await server.register("juliet", "Juliet")];
  const talk = await romeo.group("Verona", [juliet]);
  const sent = [];
  for (let number = 0; number < count; number++) sent.push(await romeo.send(talk, `line ${number}.` + " and more".repeat(number % 30)));
  return { romeo, juliet, talk, sent };
}

const topRow = (page) => page.locator(".conversation .timeline").evaluate((box) => {
  const top = box.getBoundingClientRect().top;
  const row = [...box.querySelectorAll("[data-id]")].find((one) => one.getBoundingClientRect().bottom > top + 1);
  return { id: Number(row.dataset.id), offset: Math.round(row.getBoundingClientRect().top - top) };
});
const scroll = (page, by) => page.locator(".conversation .timeline").evaluate((box, by) => { box.scrollTop += by; }, by);

test("a long history is read to its beginning and back, and only a part of it is in the document", () => scene("long", {}, async ({ server, open }) => {
  const { sent } = await filled(server);
  const page = await open();
  await signIn(page, server, "romeo");
  await openTalk(page, "Verona");
  await message(page, `line ${MANY - 1}.`).waitFor();
  let rows = 0;
  await eventually(async () => {
    await scroll(page, -3000);
    rows = Math.max(rows, await page.locator(".message").count());
    assert.equal(await page.locator(".beginning").count(), 1);
  });
  assert.ok(rows <= 130, `${rows} rows in the document`);
  assert.match((await contents(page))[0], /^line 0\./);
  await page.getByRole("button", { name: "To the latest" }).click();
  await message(page, `line ${MANY - 1}.`).waitFor();
  assert.equal(sent.length, MANY);
}));

test("what one reads stays where it is when older messages come, and new ones", () => scene("place", {}, async ({ server, open }) => {
  const { juliet, talk } = await filled(server);
  const page = await open();
  await signIn(page, server, "romeo");
  await openTalk(page, "Verona");
  await message(page, `line ${MANY - 1}.`).waitFor();
  for (let round = 0; round < 12; round++) {
    await scroll(page, -700);
    await page.waitForTimeout(60);    // the browser draws, and older messages may come
    const before = await topRow(page);
    if (round % 3 === 0) await juliet.send(talk, `new ${round}`);
    await page.waitForTimeout(150);
    assert.deepEqual(await topRow(page), before, `round ${round}`);
  }
}));

test("it opens at the first unread message, and reading it marks it", () => scene("unread", {}, async ({ server, open }) => {
  const { juliet, romeo, talk, sent } = await filled(server, 120);
  await juliet.ask("POST", `/v1/messages/${sent[39].id}/read`);
  await juliet.group("Mantua", []);
  const page = await open();
  await signIn(page, server, "juliet");
  await page.locator(".conversation-row", { hasText: "Verona" }).getByText("80 unread messages").waitFor({ state: "attached" });
  await openTalk(page, "Verona");
  await page.locator(".unread-line").waitFor();
  const line = await page.locator(".unread-line").evaluate((node) => node.nextElementSibling.dataset.id);
  assert.equal(Number(line), sent[40].id);
  assert.ok(await page.locator(".unread-line").evaluate((node) => node.getBoundingClientRect().top < innerHeight / 2 && node.getBoundingClientRect().top > 0), "the line is in sight");
  await page.getByRole("button", { name: "80 new messages" }).click();
  await message(page, "line 119.").waitFor();
  await eventually(async () => assert.equal((await juliet.ask("GET", "/v1/unread")).total, 0));
  await openTalk(page, "Mantua");
  await romeo.send(talk, "@juliet one more");
  await page.locator(".conversation-row", { hasText: "Verona" }).locator(".badge.mention").waitFor();
  await eventually(async () => assert.match(await page.title(), /^\(1\) Mantua/));
  await page.keyboard.press("Alt+ArrowDown");
  await message(page, "one more").waitFor();
  await eventually(async () => assert.equal((await juliet.ask("GET", "/v1/unread")).total, 0));
}));

test("search finds a message and opens it at its place", () => scene("search", {}, async ({ server, open }) => {
  const { juliet, talk } = await filled(server, 150);
  for (let number = 0; number < 3; number++) await juliet.send(talk, `a rose ${number} by any other name`);
  await filledMore(juliet, talk);
  const page = await open();
  await signIn(page, server, "romeo");
  await page.keyboard.press("Control+Shift+f");
  await eventually(async () => {    // the index follows a moment later
    await page.getByRole("dialog").getByRole("searchbox").fill("");
    await page.getByRole("dialog").getByRole("searchbox").fill("from:juliet ros");
    await page.locator(".hits li").nth(2).waitFor({ timeout: 1500 });
  });
  assert.deepEqual(await page.locator(".hits mark").allInnerTexts(), ["ros", "ros", "ros"]);
  await page.locator(".hits li", { hasText: "rose 1" }).getByRole("button").click();
  await page.locator(".message.marked", { hasText: "a rose 1" }).waitFor();
  assert.ok(await page.locator(".message.marked").evaluate((node) => { const box = node.getBoundingClientRect(); return box.top > 0 && box.bottom < innerHeight; }));
  await page.locator(".to-latest").click();
  await message(page, "later 119.").waitFor();
}));

async function filledMore(user, talk) {
  for (let number = 0; number < 120; number++) await user.send(talk, `later ${number}.`);
}

test("files by button, paste and drop; a picture has its place before it is there", () => scene("files", {}, async ({ server, open }) => {
  const { juliet, talk } = await filled(server, 3);
  const r = await open({ watch: { expected: [/415/] } }), j = await open();
  await signIn(r, server, "romeo");
  await signIn(j, server, "juliet");
  await openTalk(r, "Verona");
  await openTalk(j, "Verona");
  await r.locator(".conversation .composer input[type=file]").setInputFiles([{ name: "garden.png", mimeType: "image/png", buffer: pngOf(800, 400) }, { name: "letter.txt", mimeType: "text/plain", buffer: Buffer.from("Dear Juliet") }]);
  await composer(r).fill("The garden");
  await composer(r).press("Enter");
  const picture = j.locator(".picture");
  await picture.waitFor();
  const box = await picture.boundingBox();
  assert.ok(Math.abs(box.width / box.height - 2) < 0.05, JSON.stringify(box));
  await picture.locator("img").waitFor();
  assert.deepEqual(await picture.boundingBox(), box, "nothing jumps");
  const [download] = await Promise.all([j.waitForEvent("download"), j.locator(".file-card", { hasText: "letter.txt" }).click()]);
  assert.equal(download.suggestedFilename(), "letter.txt");
  await picture.click();
  await j.locator("dialog img").waitFor();
  await j.keyboard.press("Escape");
  await j.locator(".conversation").evaluate((node) => {
    const data = new DataTransfer();
    data.items.add(new File(["dropped"], "dropped.txt", { type: "text/plain" }));
    node.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await j.locator(".chosen-files", { hasText: "dropped.txt" }).waitFor();
  await composer(j).press("Enter");
  await r.locator(".file-card", { hasText: "dropped.txt" }).waitFor();
  await r.locator(".conversation .composer input[type=file]").setInputFiles([{ name: "page.html", mimeType: "text/html", buffer: Buffer.from("<html>") }]);
  await composer(r).press("Enter");
  await r.locator(".message.refused .error", { hasText: "text/html" }).waitFor();
  await r.getByRole("button", { name: "Discard" }).click();
  await eventually(async () => assert.equal(await r.locator(".message.refused").count(), 0));
  assert.equal((await juliet.ask("GET", "/v1/files")).items?.length ?? 1, 1);
  assert.ok(talk);
}));

test("everything by the keyboard alone", () => scene("keyboard", {}, async ({ server, open }) => {
  const { juliet, talk } = await filled(server, 5);
  await juliet.group("Mantua", []);
  const page = await open();
  await page.goto(server.url);
  await page.locator("input:focus").waitFor();
  await page.keyboard.type("juliet");
  await page.keyboard.press("Tab");
  await page.keyboard.type("correct horse");
  await page.keyboard.press("Enter");
  await page.locator(".conversation-row").first().waitFor();
  await page.keyboard.press("Control+k");
  await page.locator("[role=option]").first().waitFor();
  await page.keyboard.type("ver");
  await page.keyboard.press("Enter");
  await message(page, "line 4.").waitFor();
  await eventually(async () => assert.equal(await page.evaluate(() => document.activeElement.localName), "textarea"));
  await page.keyboard.type("typed");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two lines");
  await page.keyboard.press("Enter");
  await eventually(async () => assert.equal((await juliet.history(talk)).at(-1), "typed\ntwo lines"));
  await page.keyboard.press("Shift+Tab");
  const focused = () => page.evaluate(() => document.activeElement.className);
  for (let step = 0; step < 60 && !(await focused()).includes("timeline"); step++) await page.keyboard.press("Shift+Tab");
  assert.match(await focused(), /timeline/);
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("Next unread conversation").waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".message").last().focus();
  await page.keyboard.press("ArrowUp");
  assert.match(await page.evaluate(() => document.activeElement.innerText), /line 4\./);
  for (let step = 0; step < 12 && await page.evaluate(() => document.activeElement.getAttribute("aria-haspopup")) !== "menu"; step++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.evaluate(() => document.activeElement.innerText.trim()), "Open thread");
  await page.keyboard.press("Enter");
  await page.locator(".thread .message").waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".thread").waitFor({ state: "detached" });
}));
