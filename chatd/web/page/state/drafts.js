// The text that is not sent yet: at once in this browser, and a moment later on the server, for the other devices.

const DELAY_MS = 1000;

export class Drafts {
  #timers = new Map();

  constructor(chat) { this.chat = chat; }

  #key(id, threadId) { return `chatd-draft-${this.chat.session.user.id}-${threadId ? `t${threadId}` : id}`; }

  get(id, threadId = null) {
    const here = localStorage.getItem(this.#key(id, threadId));
    return here ?? (threadId ? "" : this.chat.conversations.get(id)?.me.draft ?? "");
  }

  set(id, text, threadId = null) {
    const key = this.#key(id, threadId);
    if (text) localStorage.setItem(key, text);
    else localStorage.removeItem(key);
    if (threadId) return;
    clearTimeout(this.#timers.get(id));
    this.#timers.set(id, setTimeout(() => {
      this.#timers.delete(id);
      if ((this.chat.conversations.get(id)?.me.draft ?? "") === text) return;
      this.chat.call("preferences.update", { conversationId: id, draft: text }, { repeat: true }).catch(() => {});
    }, DELAY_MS));
  }

  isPending(id) { return this.#timers.has(id); }
}
