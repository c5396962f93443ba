// Takes the pictures of docs/page.md: CHATD_ROOT, CHATD_PYTHON and CHATD_CHROMIUM as in tests/outside/test_page.py, and
// the folder for the PNG files as the argument.
import { join } from "node:path";
import { composer, openTalk, scene, signIn } from "./harness.mjs";
import { pngOf } from "./png.mjs";

const folder = process.argv[2];
const LINES = [
  ["juliet", "Has anybody seen the new plan for the garden?"], ["nurse", "I put it on the balcony table. **Mind the wind!**"],
  ["benvolio", "Found it. Three roses per bed, then:\n- damask at the wall\n- dog rose at the gate\n- one without a name"],
  ["juliet", "What's in a name? That which we call a rose by any other word would smell as sweet."],
  ["romeo", "I take thee at thy word 🌹"], ["mercutio", "> by any other word\n\nQuoth the raven? Wrong play. `404`"],
];

await scene("pictures", {}, async ({ server, open }) => {
  const users = {};
  for (const [name, shown] of Object.entries({ romeo: "Romeo Montague", juliet: "Juliet Capulet", nurse: "The Nurse", benvolio: "Benvolio", mercutio: "Mercutio", tybalt: "Tybalt" }))
    users[name] = await server.register(name, shown);
  const { romeo, juliet, nurse, tybalt, mercutio, benvolio } = users;
  const garden = await juliet.group("Garden", [romeo, nurse, benvolio, mercutio], { topic: "Roses, and who waters them" });
  const sent = {};
  for (const [who, text] of LINES) sent[text] = await users[who].send(garden, text);
  const rose = sent[LINES[3][1]];
  for (const [who, emoji] of [["romeo", "❤️"], ["nurse", "❤️"], ["mercutio", "😂"], ["benvolio", "🌹"]]) await users[who].ask("POST", `/v1/messages/${rose.id}/reactions`, { emoji });
  await nurse.send(garden, "Anon, good lady!", { threadId: rose.id });
  await benvolio.send(garden, "Romeo, he goes your way.", { threadId: rose.id });
  const sunset = await nurse.ask("POST", "/files?name=balcony.png", pngOf(900, 520, (x, y) => {
    const hill = 330 + 40 * Math.sin(x / 130) + 18 * Math.sin(x / 37), sun = Math.hypot(x - 620, y - 250) < 70;
    if (y > hill) return [38 + y / 20, 62 + y / 12, 58];
    return sun ? [255, 226, 150] : [250 - y / 8, 150 + y / 6, 120 + y / 4];
  }));
  await nurse.send(garden, "The view from the balcony, just now:", { attachments: [{ url: sunset.url }] });
  await juliet.send(garden, "@romeo wherefore art thou not here?", { replyTo: sent[LINES[4][1]].id });
  const pair = (await juliet.ask("POST", "/v1/conversations", { type: "private", memberIds: [romeo.id] })).id;
  await juliet.send(pair, "Good night, good night! Parting is such sweet sorrow,");
  await juliet.send(pair, "that I shall say good night till it be morrow.");
  const gate = await tybalt.group("Household", [romeo]);
  await tybalt.send(gate, "Who left the gate open?");
  await mercutio.group("Queen Mab", [romeo, benvolio]);

  const sight = async (name, context = {}, act = async () => {}) => {
    const page = await open(context);
    await signIn(page, server, "romeo");
    await page.locator(".conversation-row").first().waitFor();
    await act(page);
    await page.mouse.move(640, 4);
    await page.waitForTimeout(900);
    await page.screenshot({ path: join(folder, `${name}.png`) });
    await page.context().close();
  };
  const desktop = { viewport: { width: 1200, height: 760 } }, phone = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 };
  const talk = async (page) => { await openTalk(page, "Garden"); await page.locator(".picture img").waitFor(); };
  await romeo.ask("POST", `/v1/conversations/${garden}/read`);
  await sight("page-light", desktop, async (page) => { await talk(page); });
  await sight("page-dark-thread", { ...desktop, colorScheme: "dark" }, async (page) => { await talk(page); await page.locator(".thread-link").click(); await page.locator(".thread .message").nth(1).waitFor(); });
  await sight("page-phone", phone, talk);
  await sight("page-phone-list", { ...phone, colorScheme: "dark" });
  await sight("page-search", desktop, async (page) => {
    await talk(page);
    await page.keyboard.press("Control+Shift+f");
    await page.getByRole("dialog").getByRole("searchbox").fill("rose");
    await page.locator(".hits li").nth(1).waitFor();
  });
  await sight("page-arabic", { ...desktop, locale: "ar", colorScheme: "dark" }, async (page) => { await talk(page); await composer(page).pressSequentially("@ju"); await page.locator("[role=option]").first().waitFor(); });
});
