// From the printed link to two people who chat, and all that a message can do.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { composer, contents, eventually, message, openTalk, PASSWORD, say, scene, signIn } from "./harness.mjs";

test("the printed link makes the administrator, an invite the next user, and they chat", () => scene("first start", { open: false }, async ({ server, open }) => {
  const romeo = await open(), juliet = await open();
  await romeo.goto(await server.setupLink());
  await romeo.getByLabel("Username").fill("romeo");
  await romeo.getByLabel("Name", { exact: true }).fill("Romeo Montague");
  await romeo.getByLabel("Password").fill(PASSWORD);
  await romeo.getByRole("button", { name: "Make account" }).click();
  await romeo.getByRole("heading", { name: "Hello, Romeo Montague" }).waitFor();
  assert.equal(new URL(romeo.url()).hash, "", "the token leaves the address");
  const invite = execFileSync(process.env.CHATD_PYTHON, ["-m", "chatd", "invite", "--data", `${server.folder}/data`], { env: { ...process.env, PYTHONPATH: process.env.CHATD_ROOT } }).toString();
  await juliet.goto(/\S+#invite=\S+/.exec(invite)[0]);
  await juliet.getByLabel("Username").fill("juliet");
  await juliet.getByLabel("Password").fill("short");
  await juliet.getByLabel("Password").fill(PASSWORD);
  await juliet.getByRole("button", { name: "Make account" }).click();
  await juliet.locator(".app").waitFor();
  await juliet.getByRole("main").getByRole("button", { name: "New conversation" }).click();
  await juliet.getByRole("checkbox", { name: "Romeo Montague" }).check();
  await juliet.getByRole("button", { name: "Write" }).click();
  await say(juliet, "Art thou not Romeo, and a Montague?");
  await openTalk(romeo, "juliet");
  await message(romeo, "Art thou not Romeo").waitFor();
  await composer(romeo).pressSequentially("Nei");
  await juliet.getByText("Romeo Montague is typing").waitFor();
  await say(romeo, "Neither, fair saint :rose:");
  await message(juliet, "Neither, fair saint 🌹").waitFor();
  await romeo.locator(".seen").last().waitFor();
  await romeo.reload();
  await message(romeo, "Neither, fair saint").waitFor();
  const stored = await romeo.evaluate(() => JSON.stringify({ ...localStorage }) + document.cookie);
  assert.doesNotMatch(stored, /eyJ|chatd_/, "no token where a script can read it");
}));

test("replies, reactions, edits, pins, threads, forwards, deletions and mentions reach the other page", () => scene("messages", {}, async ({ server, open }) => {
  const [romeo, juliet] = [await server.register("romeo", "Romeo"), await server.register("juliet", "Juliet")];
  const verona = await romeo.group("Verona", [juliet]), mantua = await romeo.group("Mantua", []);
  const r = await open({ permissions: ["clipboard-read", "clipboard-write"] }), j = await open();
  await signIn(r, server, "romeo");
  await signIn(j, server, "juliet");
  await openTalk(r, "Verona");
  await openTalk(j, "Verona");
  const act = async (page, text, action) => {
    const row = page.locator(".conversation .message", { hasText: text }).first();
    await row.hover();
    await row.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: action, exact: true }).click();
  };
  await say(r, "But soft!");
  await message(j, "But soft!").waitFor();
  await act(j, "But soft!", "Reply");
  await say(j, "Who is there?");
  await r.locator(".message", { hasText: "Who is there?" }).locator(".quote", { hasText: "But soft!" }).waitFor();

  const row = j.locator(".message", { hasText: "But soft!" }).first();
  await row.hover();
  await row.getByRole("button", { name: "React with ❤️" }).click();
  await r.getByRole("button", { name: "❤️ 1: Juliet" }).click();
  await j.getByRole("button", { name: "❤️ 2: Juliet and Romeo" }).waitFor();

  await composer(r).press("ArrowUp");
  await r.getByLabel("Edit message").fill("But soft! What light?");
  await r.keyboard.press("Enter");
  await message(j, "What light?").locator(".edited").waitFor();

  await act(j, "What light?", "Pin");
  await message(r, "What light?").locator(".tag", { hasText: "pinned" }).waitFor();
  await r.getByRole("button", { name: "Pinned messages" }).click();
  await r.getByRole("dialog").getByText("What light?").click();
  await r.locator(".message.marked").waitFor();

  await act(j, "What light?", "Open thread");
  await j.locator(".thread .composer textarea").fill("It is the east");
  await j.keyboard.press("Enter");
  await r.locator(".thread-link", { hasText: "1 answer" }).click();
  await r.locator(".thread .message", { hasText: "It is the east" }).waitFor();
  await r.getByLabel("Thread", { exact: true }).getByRole("button", { name: "Close" }).click();

  await act(r, "Who is there?", "Forward");
  await r.getByRole("dialog").getByRole("button", { name: "Send" }).first().waitFor();
  await r.getByRole("dialog").locator("li", { hasText: "Mantua" }).getByRole("button", { name: "Send" }).click();
  await eventually(async () => assert.deepEqual(await romeo.history(mantua), ["Who is there?"]));

  await act(r, "Who is there?", "Copy link");
  const link = await r.evaluate(() => navigator.clipboard.readText());
  assert.match(link, new RegExp(`^${server.url}/#/c/${verona}/m/\\d+$`));

  await act(j, "Who is there?", "Delete");
  await j.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await eventually(async () => assert.equal(await message(r, "Who is there?").count(), 0));

  await composer(j).pressSequentially("I mean @rom");
  await j.getByRole("option", { name: "Romeo @romeo" }).waitFor();
  await j.keyboard.press("Enter");
  await j.keyboard.press("Enter");
  await r.locator(".mention.own", { hasText: "@romeo" }).waitFor();
}));

test("what one types is shown as text, and as the subset of Markdown", () => scene("text", {}, async ({ server, open }) => {
  const romeo = await server.register("romeo", "<img src=x onerror=alert(1)>");
  const talk = await romeo.group("<script>alert(1)</script>", [], { topic: "<b>topic</b>" });
  const page = await open();
  page.on("dialog", () => assert.fail("a script ran"));
  await signIn(page, server, "romeo");
  await openTalk(page, "<script>alert(1)</script>");
  for (const text of ["<img src=x onerror=alert(1)>", "javascript:alert(1)", "[x](javascript:alert(1))", "https://a.example/\"onmouseover=alert(1)",
    "**bold** *it* ~~no~~ `x<y` _u_ snake_case_name 2*3*4", "> said\n> again\n- one\n- two", "```js\nlet a = '<b>';\n```"]) await romeo.send(talk, text);
  await page.locator(".message pre", { hasText: "let a = '<b>';" }).waitFor();
  const shown = await contents(page);
  assert.equal(shown[0], "<img src=x onerror=alert(1)>");
  assert.equal(shown[4], "bold it no x<y u snake_case_name 2*3*4");
  const marks = await page.locator(".message .content").nth(4).evaluate((node) => [...node.querySelectorAll("*")].map((one) => one.localName));
  assert.deepEqual(marks, ["p", "strong", "em", "s", "code", "em"]);
  assert.deepEqual(await page.locator(".content a").evaluateAll((nodes) => nodes.map((node) => node.getAttribute("href"))), ["https://a.example/"]);
  assert.equal(await page.locator(".content img, .content script, .content [onerror], .content [onmouseover]").count(), 0);
  assert.deepEqual(await page.locator(".content li").allInnerTexts(), ["one", "two"]);
}));

test("an administrator invites, and one changes the password and signs out elsewhere", () => scene("account", { open: false }, async ({ server, open }) => {
  const page = await open(), other = await open({ watch: { expected: [/401|WebSocket/] } }), newcomer = await open();
  await page.goto(await server.setupLink());
  await page.getByLabel("Username").fill("romeo");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Make account" }).click();
  await page.locator(".app").waitFor();
  await signIn(other, server, "romeo");
  await page.locator(".profile-button").click();
  await page.getByRole("button", { name: "Invite people" }).click();
  await page.getByRole("button", { name: "Make invite link" }).click();
  const link = await page.getByLabel("The link.").inputValue();
  await newcomer.goto(link);
  await newcomer.getByLabel("Username").fill("juliet");
  await newcomer.getByLabel("Password").fill(PASSWORD);
  await newcomer.getByRole("button", { name: "Make account" }).click();
  await newcomer.locator(".app").waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".profile-button").click();
  await page.getByRole("button", { name: "Password and devices" }).click();
  await page.getByText("This device").waitFor();
  assert.equal(await page.getByRole("dialog").getByText("Chrome, Linux").count(), 2);
  await page.getByLabel("Present password").fill(PASSWORD);
  await page.getByLabel("New password").fill("battery staple");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Other devices are signed out.").waitFor();
  await other.getByText("Your session is over.").waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".profile-button").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
}));

test("an owner adds, promotes, bans and lets back in; a member leaves; a public group is found", () => scene("members", {}, async ({ server, open }) => {
  const romeo = await server.register("romeo", "Romeo"), juliet = await server.register("juliet", "Juliet"), tybalt = await server.register("tybalt", "Tybalt");
  const talk = await romeo.group("Verona", [tybalt]);
  const r = await open(), j = await open();
  await signIn(r, server, "romeo");
  await signIn(j, server, "juliet");
  await openTalk(r, "Verona");
  await r.getByRole("button", { name: "Details and members" }).click();
  const dialog = r.getByRole("dialog");
  await dialog.getByRole("button", { name: "Add a member" }).click();
  await dialog.getByRole("checkbox", { name: "Juliet" }).click();
  await dialog.locator(".members", { hasText: "Juliet" }).waitFor();
  await openTalk(j, "Verona");
  const manage = async (name, action) => {
    await dialog.getByRole("button", { name: `Manage ${name}` }).click();
    await r.getByRole("menuitem", { name: action }).click();
  };
  await manage("Juliet", "Make administrator");
  await dialog.locator(".members li", { hasText: "Juliet" }).getByText("administrator").waitFor();
  await manage("Tybalt", "Ban");
  await dialog.getByRole("button", { name: "Let back in" }).click();
  await eventually(async () => assert.deepEqual(await romeo.ask("GET", `/v1/conversations/${talk}/bans`), []));
  await dialog.getByLabel("Title").fill("Fair Verona");
  await dialog.getByRole("checkbox", { name: /^Public/ }).check();
  await dialog.getByRole("button", { name: "Save" }).click();
  await j.getByRole("heading", { name: "Fair Verona" }).waitFor();
  await j.getByRole("button", { name: "Details and members" }).click();
  await j.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
  await eventually(async () => assert.equal(await j.locator(".conversation-row").count(), 0));
  await j.getByRole("navigation").getByRole("button", { name: "Find public groups" }).click();
  await j.getByRole("dialog").getByRole("button", { name: "Join" }).click();
  await j.getByRole("heading", { name: "Fair Verona" }).waitFor();
  await j.getByRole("button", { name: "Details and members" }).click();
  await j.getByRole("dialog").getByRole("checkbox", { name: "Archive" }).check();
  await eventually(async () => assert.equal(await j.locator(".conversation-row").count(), 0));
  await j.keyboard.press("Escape");
  await j.keyboard.press("Control+k");
  await j.getByRole("combobox").waitFor();
  await j.keyboard.type("verona");
  await j.getByRole("option", { name: "Fair Verona" }).waitFor();
  assert.ok(juliet);
}));
