// Who is signed in. The refresh token is in a cookie that only the server reads; the access token is in memory.
import { Topics } from "../lib/topics.js";

const EARLY_SECONDS = 30;    // a token that ends so soon is renewed first

export class Rejected extends Error {
  constructor(status, body) {
    super(body?.message ?? `HTTP ${status}`);
    Object.assign(this, { status, code: body?.code ?? "", field: body?.field ?? null });
  }
}

export class Session {
  topics = new Topics();
  user = null;
  #access = null; #ends = 0; #renewing = null;

  get token() { return this.#access; }

  async #post(path, body) {
    const answer = await fetch(path, { method: "POST", credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-Chatd-Session": "cookie" }, body: JSON.stringify(body ?? {}) });
    const said = answer.status === 204 ? null : await answer.json().catch(() => null);
    if (answer.ok) return said;
    if (answer.status >= 500) throw new TypeError(said?.message ?? `HTTP ${answer.status}`);    // as without a network
    throw new Rejected(answer.status, said);
  }

  #take(tokens) {
    this.#access = tokens.accessToken;
    this.#ends = Date.now() + tokens.expiresIn * 1000;
    this.user = tokens.user;
    this.topics.announce("session");
  }

  async signIn(username, password) { this.#take(await this.#post("/auth/login", { username, password })); }
  async register(fields) { this.#take(await this.#post("/auth/register", fields)); }

  // Another token. Tabs take turns: a refresh token works once, and the cookie is that of all tabs.
  renew() {
    this.#renewing ??= this.#inTurn(async () => this.#take(await this.#post("/auth/refresh")))
      .finally(() => { this.#renewing = null; });
    return this.#renewing;
  }

  #inTurn(act) { return navigator.locks ? navigator.locks.request("chatd-refresh", act) : act(); }

  // A token that is valid for a while.
  async access() {
    if (Date.now() > this.#ends - EARLY_SECONDS * 1000) await this.renew();
    return this.#access;
  }

  async signOut() {
    await this.#post("/auth/logout").catch(() => {});
    this.forget();
  }

  forget() {
    [this.user, this.#access, this.#ends] = [null, null, 0];
    this.topics.announce("session");
  }

  // A request to REST, as JSON.
  async request(method, path, body) {
    const answer = await fetch(path, { method, credentials: "omit", body: body && JSON.stringify(body),
      headers: { Authorization: `Bearer ${await this.access()}`, "Content-Type": "application/json" } });
    const said = answer.status === 204 ? null : await answer.json().catch(() => null);
    if (!answer.ok) throw new Rejected(answer.status, said);
    return said;
  }
}
