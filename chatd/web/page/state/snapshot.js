// Keeps what the page shows, a moment after it changes, so that the next start shows it at once, also offline.

const DELAY_MS = 2000;
const KEPT_MESSAGES = 50;

export class Snapshot {
  #timer = null;

  constructor(chat, store) {
    [this.chat, this.store] = [chat, store];
    for (const topic of ["conversations", "notifications"])
      chat.topics.on(topic, () => { this.#timer ??= setTimeout(() => this.#keep(), DELAY_MS); });
  }

  async #keep() {
    this.#timer = null;
    const { chat } = this;
    if (!chat.synced) return;
    await this.store.keepShown({
      me: chat.me, attention: chat.attention, notifications: chat.notifications,
      conversations: [...chat.conversations.values()], users: [...chat.users.values()],
      timelines: chat.timelines.latest(KEPT_MESSAGES),
    }).catch((problem) => console.warn("snapshot:", problem));
  }

  close() { clearTimeout(this.#timer); }

  static async restore(chat, store) {
    const shown = await store.shown().catch(() => undefined);
    if (!shown || chat.synced) return;
    chat.me = shown.me;
    chat.attention = shown.attention;
    chat.notifications = shown.notifications;
    chat.conversations = new Map(shown.conversations.map((one) => [one.id, one]));
    chat.users = new Map(shown.users.map((one) => [one.id, one]));
    chat.timelines.restore(shown.timelines);
    chat.topics.announce("conversations", "users", "notifications", "me");
  }
}
