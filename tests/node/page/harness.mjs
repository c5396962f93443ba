// The page in a real browser: a server of its own for each scene, users by REST, and what no page may do.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const PYTHON = process.env.CHATD_PYTHON, CHROMIUM = process.env.CHATD_CHROMIUM;
const UNLIMITED = ["registrations_per_address", "anonymous_per_address", "rest_per_user", "calls_per_connection", "sends_per_user"];
export const PASSWORD = "correct horse";
export const WAIT_MS = 15_000;

export class Server {
  constructor() { this.folder = mkdtempSync(join(tmpdir(), "chatd-page-")); }

  async start({ open = true } = {}) {
    const set = (name, value) => ["--set", `${name}=${value}`];
    const settings = [...(open ? set("auth.registration", "open") : []), ...UNLIMITED.flatMap((name) => set(`limits.${name}`, 0))];
    this.process = spawn(PYTHON, ["-m", "chatd", "serve", "--port", String(this.port ?? 0), "--data", join(this.folder, "data"), ...settings],
      { cwd: this.folder, env: { ...process.env, PYTHONPATH: process.env.CHATD_ROOT } });
    this.log = "";
    this.url = await new Promise((resolve, reject) => {
      this.process.stderr.on("data", (data) => {
        this.log += data;
        const found = /listening on (http:\S+)/.exec(this.log);
        if (found) resolve(found[1]);
      });
      this.process.on("exit", () => reject(new Error(this.log)));
    });
    this.port = new URL(this.url).port;
    return this;
  }

  async setupLink() {
    for (;;) {
      const found = /administrator at (\S+#setup=\S+)/.exec(this.log);
      if (found) return found[1];
      await new Promise((resolve) => this.process.stderr.once("data", resolve));
    }
  }

  end(signal = "SIGTERM") {
    return new Promise((resolve) => { this.process.once("exit", resolve); this.process.kill(signal); });
  }

  async register(username, displayName = null) {
    const body = JSON.stringify({ username, password: PASSWORD, ...(displayName && { displayName }) });
    const answer = await fetch(`${this.url}/auth/register`, { method: "POST", body });
    const account = await answer.json();
    assert.equal(answer.status, 201, JSON.stringify(account));
    return new User(this, account);
  }
}

export class User {
  constructor(server, account) {
    Object.assign(this, { server, id: account.user.id, name: account.user.username, token: account.accessToken });
  }

  async ask(method, path, body = undefined) {
    const answer = await fetch(this.server.url + path, { method, headers: { Authorization: `Bearer ${this.token}` },
      body: body instanceof Uint8Array ? body : body && JSON.stringify(body) });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  send(talk, content, more = {}) { return this.ask("POST", `/v1/conversations/${talk}/messages`, { content, ...more }); }

  async history(talk) { return (await this.ask("GET", `/v1/conversations/${talk}/messages?limit=200`)).items.map((one) => one.content); }

  async group(title, members, more = {}) {
    return (await this.ask("POST", "/v1/conversations", { type: "group", title, memberIds: members.map((one) => one.id), ...more })).id;
  }
}

// What is true of every page: no error on its console, and no request to another origin.
export class Watch {
  problems = [];

  constructor(page, server, { expected = [] } = {}) {
    const note = (text) => { if (!expected.some((one) => one.test(text))) this.problems.push(text); };
    page.on("console", (message) => { if (["error", "warning"].includes(message.type())) note(`console: ${message.text()}`); });
    page.on("pageerror", (problem) => note(`exception: ${problem.stack}`));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(server.url) && !/^(blob|data):/.test(url)) note(`foreign request: ${url}`);
    });
  }
}

export async function scene(name, options, act) {
  const server = new Server(), browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  const watches = [];
  const open = async ({ watch = {}, ...context } = {}) => {
    const made = await browser.newContext({ viewport: { width: 1200, height: 800 }, locale: "en-US", ...context });
    made.setDefaultTimeout(WAIT_MS);
    const page = await made.newPage();
    watches.push(new Watch(page, server, watch));
    return page;
  };
  try {
    await server.start(options);
    await act({ server, open, browser });
    assert.deepEqual(watches.flatMap((one) => one.problems), [], name);
  } catch (problem) {    // CHATD_SHOTS=FOLDER keeps what the pages showed when a scene failed
    const pages = browser.contexts().flatMap((context) => context.pages());
    if (process.env.CHATD_SHOTS)
      for (const [index, page] of pages.entries()) await page.screenshot({ path: join(process.env.CHATD_SHOTS, `${name}-${index}.png`) });
    throw problem;
  } finally {
    await browser.close();
    if (server.process?.exitCode === null) await server.end("SIGKILL");
    rmSync(server.folder, { recursive: true, force: true });
  }
}

// What a browser prints when the server is away: the page expects that.
export const AWAY = { expected: [/ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_NETWORK|WebSocket connection to|Failed to load resource|ERR_SOCKET_NOT_CONNECTED/] };

export async function signIn(page, server, name) {
  await page.goto(server.url);
  await page.locator("[name=username]").fill(name);    // in any language
  await page.locator("[name=password]").fill(PASSWORD);
  await page.locator("button.primary").click();
  await page.locator(".app").waitFor();
}

export const composer = (page) => page.locator(".conversation .composer textarea");
export async function say(page, text) {
  await composer(page).fill(text);
  await composer(page).press("Enter");
}
export const openTalk = (page, title) => page.locator(".conversation-row", { hasText: title }).click();
export const contents = (page) => page.locator(".conversation .message .content").allInnerTexts();
export const message = (page, text) => page.locator(".conversation .message", { hasText: text });

export async function eventually(check, what = "it") {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    try { return await check(); } catch (problem) {
      if (Date.now() > end) throw problem;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
