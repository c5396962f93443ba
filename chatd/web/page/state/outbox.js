// What the user has sent and the server has not acked: kept in IndexedDB, so that no text is lost by a closed tab.
//
// Each message has a `clientId`, under which the server stores it once; so it does not matter which tab sends it, or
// whether two do. Tabs take turns by a lock where the browser has one. A message is sent after those before it.
//
// Topic: outbox.
import { Refused } from "../../client.js";

const RETRY_MS = 3000;

export class Outbox {
  items = [];    // {clientId, conversationId, content, files, attachments, replyTo, threadId, at, refused, progress}
  #channel = null; #sending = false; #again = false; #retry = null; #uploads = new Map();

  constructor(chat, store, userId) {
    [this.chat, this.store, this.name] = [chat, store, `chatd-${userId}`];
  }

  async open() {
    if (globalThis.BroadcastChannel) {
      this.#channel = new BroadcastChannel(this.name);
      this.#channel.onmessage = () => this.#load().then(() => this.flush());
    }
    await this.#load();
    this.chat.topics.on("connection", () => this.flush());
    this.flush();
  }

  close() {
    this.#channel?.close();
    clearTimeout(this.#retry);
  }

  async #load() {
    const found = await this.store.waiting();
    if (found === null) return;
    const progress = new Map(this.items.map((one) => [one.clientId, one.progress]));
    this.items = found.sort((one, other) => one.at - other.at)
      .map((one) => ({ ...one, progress: progress.get(one.clientId) }));
    this.chat.topics.announce("outbox");
  }

  async #keep(item) {
    const { progress, ...kept } = item;
    await this.store.keepWaiting(kept);
    const index = this.items.findIndex((one) => one.clientId === item.clientId);
    this.items = index < 0 ? [...this.items, item] : this.items.map((one, at) => (at === index ? item : one));
    this.chat.topics.announce("outbox");
  }

  async #drop(clientId) {
    this.items = this.items.filter((one) => one.clientId !== clientId);    // at once: a discarded message is not sent
    await this.store.dropWaiting(clientId);
    this.#channel?.postMessage("changed");
    this.chat.topics.announce("outbox");
  }

  of(conversationId, threadId = null) {
    return this.items.filter((one) => one.conversationId === conversationId && (threadId === null || one.threadId === threadId));
  }

  async add(message) {
    const clientId = crypto.getRandomValues(new Uint32Array(4)).join("-");
    await this.#keep({ files: [], attachments: [], refused: null, ...message, clientId, at: Date.now() });
    this.#channel?.postMessage("changed");
    this.flush();
    return clientId;
  }

  async retry(clientId) {
    const item = this.items.find((one) => one.clientId === clientId);
    if (item) await this.#keep({ ...item, refused: null });
    this.flush();
  }

  async discard(clientId) {
    const dropped = this.#drop(clientId);
    this.#uploads.get(clientId)?.abort();
    await dropped;
  }

  // Send what waits, in order. It ends when the connection does; the next one begins again.
  async flush() {
    if (this.chat.connection !== "online") return;
    if (this.#sending) { this.#again = true; return; }    // it may have looked for the last time already
    [this.#sending, this.#again] = [true, false];
    clearTimeout(this.#retry);
    try {
      await this.#inTurn(async () => {
        await this.#load();
        for (let item; (item = this.items.find((one) => !one.refused && this.#isFirst(one)));) await this.#send(item);
      });
    } catch (problem) {
      console.warn("outbox:", problem);
      this.#retry = setTimeout(() => this.flush(), RETRY_MS);
    } finally {
      this.#sending = false;
      if (this.#again) this.flush();
    }
  }

  // A refused message holds up nothing behind it.
  #isFirst(item) {
    return !this.items.some((one) => one.at < item.at && one.conversationId === item.conversationId && !one.refused);
  }

  #inTurn(act) { return navigator.locks ? navigator.locks.request(this.name, act) : act(); }

  async #send(item) {
    try {
      const attachments = [...item.attachments];
      for (const [index, file] of item.files.entries()) {
        const uploaded = await this.#upload(item, index, file);
        attachments.push({ url: uploaded.url });
      }
      const { clientId, conversationId, content, replyTo, threadId } = item;
      if (!this.items.some((one) => one.clientId === clientId)) return;    // discarded meanwhile
      const call = { clientId, conversationId, content, attachments, replyTo, threadId };
      for (const [key, value] of Object.entries(call)) if (!value || value.length === 0) delete call[key];
      const message = await this.chat.call("message.send", call, { repeat: true });
      this.chat.timelines.add(message);
      await this.#drop(clientId);
    } catch (problem) {
      if (problem.name === "AbortError") return;    // discarded
      const isLost = problem.name === "NotReadableError" || problem.name === "NotFoundError";    // the file has changed or is gone
      if (!isLost && (!(problem instanceof Refused) || problem.again)) throw problem;
      await this.#keep({ ...item, refused: problem.message });
    }
  }

  async #upload(item, index, file) {
    if (file.uploaded) return file.uploaded;
    const controller = new AbortController();
    this.#uploads.set(item.clientId, controller);
    const keep = (change) => {
      const now = this.items.find((one) => one.clientId === item.clientId);
      if (!now) return undefined;    // discarded: it must not come back
      const files = now.files.map((one, at) => (at === index ? { ...one, ...change } : one));
      Object.assign(item, { files });
      return this.#keep({ ...now, files });
    };
    const uploaded = await this.chat.client.upload(file.blob, {
      name: file.name, resume: file.resume ?? null, signal: controller.signal,
      onbegin: (resume) => void keep({ resume }),
      progress: (sent, bytes) => {
        this.items = this.items.map((one) =>
          one.clientId === item.clientId ? { ...one, progress: (index + sent / bytes) / item.files.length } : one);
        this.chat.topics.announce("outbox");
      },
    });
    await keep({ uploaded });
    this.#uploads.delete(item.clientId);
    return uploaded;
  }
}
