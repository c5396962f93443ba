// Every screen: without violations of axe's rules, in each language, light and dark, on a desktop and a phone.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { composer, openTalk, scene } from "./harness.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const DESKTOP = { width: 1200, height: 800 }, PHONE = { width: 360, height: 740 };

async function check(page, name) {
  await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {}))));
  await page.evaluate(AXE);
  const { violations } = await page.evaluate((tags) => globalThis.axe.run({ runOnly: tags }), RULES);
  assert.deepEqual(violations.map((one) => `${one.id}: ${one.nodes[0].html}`), [], name);
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(width[0] <= width[1], `${name} is wider than the window: ${width}`);
}

for (const [locale, colorScheme, viewport] of [["en-US", "light", DESKTOP], ["ar", "dark", DESKTOP], ["de-DE", "dark", PHONE], ["ar", "light", PHONE], ["zh-CN", "dark", DESKTOP], ["es-ES", "light", PHONE]])
  test(`screens in ${locale}, ${colorScheme}, ${viewport.width} wide`, () => scene("screens", {}, async ({ server, open }) => {
    const [romeo, juliet] = [await server.register("romeo", "Romeo Montague"), await server.register("juliet", "Juliet")];
    const talk = await romeo.group("Verona", [juliet], { topic: "Two households" });
    await juliet.group("Gardeners", [], { visibility: "public" });
    const root = await juliet.send(talk, "Wherefore *art* thou @romeo? `code`\n> quote\n- list\n```\nblock\n```\nhttps://example.org/x");
    await romeo.ask("POST", `/v1/messages/${root.id}/reactions`, { emoji: "❤️" });
    await juliet.send(talk, "Deny thy father", { threadId: root.id });
    const file = await juliet.ask("POST", "/files?name=letter.txt", new TextEncoder().encode("Dear Romeo"));
    await juliet.send(talk, "", { attachments: [{ url: file.url }], replyTo: root.id });
    await juliet.ask("POST", `/v1/messages/${root.id}/pin`);
    // The browser that axe runs in must let it in: nothing else is changed.
    const page = await open({ viewport, locale, colorScheme, bypassCSP: true, watch: { expected: [/401/] } });
    await page.goto(server.url);
    await page.locator("form.card").waitFor();
    await check(page, "sign in");
    await page.locator("form.card button.link").click();
    await check(page, "register");
    await page.locator("form.card button.link").click();
    await page.locator("[name=username]").fill("romeo");
    await page.locator("[name=password]").fill("wrong");
    await page.locator("button.primary").click();
    await page.locator("[role=alert]").waitFor();
    await check(page, "wrong password");
    await page.locator("[name=password]").fill("correct horse");
    await page.locator("button.primary").click();
    await page.locator(".conversation-row").waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.dir), locale === "ar" ? "rtl" : "ltr");
    await check(page, "list");
    const dialogs = async (buttons) => {
      for (let index = 0; index < await buttons.count(); index++) {
        const button = buttons.nth(index), name = await button.getAttribute("aria-label");
        if (!await button.isVisible()) continue;
        await button.click();
        await page.locator("dialog[open]").waitFor();
        await check(page, name);
        await page.keyboard.press("Escape");
        await page.locator("dialog[open]").waitFor({ state: "detached" });
        assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), name, "the focus comes back");
      }
    };
    await dialogs(page.locator(".sidebar > header button"));
    await openTalk(page, "Verona");
    await page.locator(".file-card").waitFor();
    await check(page, "conversation");
    await dialogs(page.locator(".conversation > .pane-header > .icon-button:not(.only-narrow)"));
    await page.locator(".message").last().hover();
    await page.locator(".message").last().locator(".menu > button").click();
    await page.locator("[role=menu]").waitFor();
    await check(page, "menu");
    await page.keyboard.press("Escape");
    await composer(page).pressSequentially("@ju");
    await page.locator("[role=option]").first().waitFor();
    await check(page, "completion");
    await composer(page).fill("");
    await page.locator(".thread-link").click();
    await page.locator(".thread .message").nth(1).waitFor();
    await check(page, "thread");
  }));
