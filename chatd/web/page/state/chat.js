// What the page shows: conversations, users, presence, notifications; fetched by `sync`, and changed by events.
//
// Topics: connection, conversations, conversation:ID, users, typing:ID, notifications, threads, blocks, me.
import { Closed, connect, Refused } from "../../client.js";
import { Topics } from "../lib/topics.js";
import { Timelines } from "./timelines.js";

const PAGE_ROWS = 100;
const TYPING_MS = 8000, TYPING_EVERY_MS = 3000;

export class Chat {
  topics = new Topics();
  connection = "connecting"; me = null; attention = null; synced = false;
  conversations = new Map(); users = new Map(); online = new Set(); members = new Map(); blocks = new Set();
  threads = new Map(); notifications = 0;
  typing = new Map();    // conversation → user → when it ends
  #fetchedAt = 0; #seen = 0; #epoch = ""; #early = []; #typingSent = new Map(); #opened = null;

  constructor(session, { url = location.origin } = {}) {
    this.session = session;
    this.timelines = new Timelines(this);
    let isFirst = true;
    this.client = connect(url, { namespace: "/v1", token: async () => {
      if (!isFirst || !session.token) await session.renew();    // the first token is that of the sign-in
      isFirst = false;
      return session.token;
    } });
    this.client.onstate = (state) => {
      this.connection = state;
      this.topics.announce("connection");
      if (state === "online") this.#onlineAgain().catch((problem) => this.#note(problem));
      if (state === "closed") this.onclosed?.();
    };
    this.client.on("*", (event) => this.#receive(event));
  }

  close() { this.client.close(); }

  // Calls: the data of the ack, or an error with `code` and `message`.
  async call(name, data = {}, options = {}) { return (await this.client.call(name, data, options)).data; }

  async read(name, data = {}) { return this.call(name, data, { repeat: true }); }

  #note(problem) {    // the chat may have been closed in the middle of it
    if (!(problem instanceof Closed)) console.warn(problem);
  }

  // Fetching everything, and again after a gap

  async #onlineAgain() {
    if (!this.synced) await this.#sync();
    if (this.#opened) this.call("conversation.open", { conversationId: this.#opened }).catch(() => {});
  }

  async #sync() {
    const since = this.#epoch ? { since: Math.max(0, this.#seen - 1), epoch: this.#epoch } : {};
    let page = await this.read("sync", { limit: PAGE_ROWS, ...since });
    const position = page.position;
    if (page.isComplete) this.conversations.clear();
    for (;;) {
      for (const one of page.conversations.items) this.#keepConversation(one);
      if (!page.isComplete || !page.conversations.next) break;
      page = await this.read("sync", { limit: PAGE_ROWS, ...page.conversations.next });
    }
    for (const id of page.removedIds) this.conversations.delete(id);
    this.me = page.me;
    this.attention = page.attention;
    this.notifications = page.unreadNotifications;
    this.online = new Set(page.onlineIds);
    [this.#fetchedAt, this.#seen, this.#epoch] = [position, position, page.epoch];
    this.keepUser(page.me);
    for (const one of await this.read("block.list")) this.blocks.add(one.user.id);
    for (const one of await this.read("thread.preferences")) this.threads.set(one.threadId, one.notifications);
    this.synced = true;
    for (const event of this.#early.splice(0)) this.#receive(event);
    this.timelines.reload();
    this.topics.announce("conversations", "users", "notifications", "me", "blocks", "threads");
    for (const id of this.conversations.keys()) this.topics.announce(`conversation:${id}`);
  }

  #keepConversation(conversation) {
    this.conversations.set(conversation.id, conversation);
    for (const user of [conversation.other, conversation.lastMessage?.sender]) if (user) this.keepUser(user);
  }

  keepUser(user) { this.users.set(user.id, { ...this.users.get(user.id), ...user }); }

  // Events

  #receive({ name, data, position }) {
    if (name === "gap") {
      this.synced = false;
      this.#sync().catch((problem) => this.#note(problem));
      return;
    }
    if (!this.synced) return void this.#early.push({ name, data, position });
    if (position !== null && position <= this.#fetchedAt) return;
    if (position !== null) this.#seen = Math.max(this.#seen, position);
    EVENTS[name]?.(this, data);
  }

  change(id, change) {
    const before = this.conversations.get(id);
    if (!before) return;
    this.conversations.set(id, { ...before, ...change });
    this.topics.announce("conversations", `conversation:${id}`);
  }

  changeOwn(id, change) {
    const before = this.conversations.get(id);
    if (before) this.change(id, { me: { ...before.me, ...change } });
  }

  async fetchConversation(id) {
    try {
      this.#keepConversation(await this.read("conversation.get", { conversationId: id }));
      this.topics.announce("conversations", `conversation:${id}`);
    } catch (problem) {
      if (!(problem instanceof Refused)) throw problem;    // left meanwhile
    }
  }

  async fetchMembers(id) {
    const members = await this.read("member.list", { conversationId: id });
    for (const one of members) this.keepUser(one.user);
    this.members.set(id, members);
    this.topics.announce("users", `conversation:${id}`);
    return members;
  }

  forget(id) {
    this.conversations.delete(id);
    this.members.delete(id);
    this.timelines.forget(id);
    this.topics.announce("conversations", `conversation:${id}`);
  }

  // What the user does

  async open(id) {
    if (this.#opened === id) return;
    const last = this.#opened;
    this.#opened = id;
    if (this.connection !== "online") return;
    if (last) this.call("conversation.close", { conversationId: last }).catch(() => {});
    if (id) this.call("conversation.open", { conversationId: id }).catch(() => {});
  }

  setTyping(id, isTyping) {
    const now = Date.now(), last = this.#typingSent.get(id) ?? 0;
    if (this.connection !== "online" || (isTyping && now - last < TYPING_EVERY_MS) || (!isTyping && !last)) return;
    this.#typingSent.set(id, isTyping ? now : 0);
    this.call("typing.set", { conversationId: id, isTyping }).catch(() => {});
  }

  typingIn(id) {
    const now = Date.now();
    return [...(this.typing.get(id) ?? [])].filter(([, ends]) => ends > now).map(([user]) => user);
  }

  markRead(id, messageId) {
    const own = this.conversations.get(id)?.me;
    if (!own || messageId <= own.readTo) return;
    this.changeOwn(id, { readTo: messageId });
    this.call("message.read", { messageId }, { repeat: true }).catch(() => {});    // also through a break
  }

  // Lists

  get ordered() { return this.all.filter((one) => !one.me.isArchived); }

  get all() {    // those that are archived as well
    const time = (one) => one.lastMessage?.createdAt ?? one.createdAt;
    return [...this.conversations.values()]
      .sort((one, other) => (time(one) < time(other) ? 1 : time(one) > time(other) ? -1 : other.id - one.id));
  }

  isMuted(conversation) {
    const { notifications, mutedUntil } = conversation.me;
    return notifications === "none" || (mutedUntil !== null && new Date(mutedUntil) > new Date());
  }

  get unreadTotal() {
    let total = 0;
    for (const one of this.conversations.values())
      total += this.isMuted(one) ? one.me.mentions : one.me.unread;
    return total;
  }

  titleOf(conversation) {
    if (conversation.title) return conversation.title;
    const name = (user) => user?.displayName || user?.username;
    if (conversation.other) return name(this.users.get(conversation.other.id)) ?? name(conversation.other) ?? "";
    const names = conversation.memberIds.filter((id) => id !== this.me?.id).map((id) => name(this.users.get(id)));
    return names.filter(Boolean).slice(0, 4).join(", ") || `#${conversation.id}`;
  }
}

const EVENTS = {
  "message.created"(chat, message) {
    chat.keepUser(message.sender);
    const conversation = chat.conversations.get(message.conversationId);
    if (conversation) chat.change(message.conversationId, { lastMessage: message });
    chat.timelines.add(message);
    const typing = chat.typing.get(message.conversationId);
    if (typing?.delete(message.sender.id)) chat.topics.announce(`typing:${message.conversationId}`);
    chat.onmessage?.(message, conversation);
  },
  "message.updated"(chat, message) {
    chat.timelines.change(message);
    if (chat.conversations.get(message.conversationId)?.lastMessage?.id === message.id)
      chat.change(message.conversationId, { lastMessage: message });
  },
  "message.deleted"(chat, { conversationId, messageId }) {
    chat.timelines.remove(conversationId, messageId);
    if (chat.conversations.get(conversationId)?.lastMessage?.id === messageId) chat.fetchConversation(conversationId);
  },
  "message.read"(chat, { conversationId, messageId, userId }) {
    chat.timelines.seen(conversationId, messageId, userId);
    const own = chat.conversations.get(conversationId)?.me;
    if (own && userId === chat.me.id && messageId > own.readTo) chat.changeOwn(conversationId, { readTo: messageId });
  },
  "message.markedUnread": (chat, { conversationId, readTo }) => chat.changeOwn(conversationId, { readTo }),
  "unread.changed"(chat, { conversations }) {
    const counts = new Map(conversations.map((one) => [one.conversationId, one]));
    for (const [id, { me }] of chat.conversations) {
      const { unread, mentions } = counts.get(id) ?? { unread: 0, mentions: 0 };
      if (unread !== me.unread || mentions !== me.mentions) chat.changeOwn(id, { unread, mentions });
    }
  },
  "conversation.created": (chat, { id }) => chat.fetchConversation(id),
  "conversation.updated": (chat, conversation) => chat.change(conversation.id, conversation),
  "conversation.deleted": (chat, { conversationId }) => chat.forget(conversationId),
  "member.added"(chat, { conversationId, user }) {
    chat.keepUser(user);
    const memberIds = chat.conversations.get(conversationId)?.memberIds ?? [];
    if (!chat.conversations.has(conversationId)) return void chat.fetchConversation(conversationId);
    chat.change(conversationId, { memberIds: [...new Set([...memberIds, user.id])] });
    if (chat.members.has(conversationId)) chat.fetchMembers(conversationId).catch(() => {});
  },
  "member.updated"(chat, { conversationId, user, role }) {
    const members = chat.members.get(conversationId);
    if (members) chat.members.set(conversationId,
      members.map((one) => (one.user.id === user.id ? { ...one, role } : one)));
    if (user.id === chat.me.id) chat.changeOwn(conversationId, { role });
    chat.topics.announce(`conversation:${conversationId}`);
  },
  "member.removed"(chat, { conversationId, userId }) {
    if (userId === chat.me.id) return chat.forget(conversationId);
    const memberIds = chat.conversations.get(conversationId)?.memberIds ?? [];
    const members = chat.members.get(conversationId);
    if (members) chat.members.set(conversationId, members.filter((one) => one.user.id !== userId));
    chat.change(conversationId, { memberIds: memberIds.filter((id) => id !== userId) });
  },
  "typing.changed"(chat, { conversationId, userId, isTyping }) {
    const typing = chat.typing.get(conversationId) ?? new Map();
    if (isTyping) typing.set(userId, Date.now() + TYPING_MS);
    else typing.delete(userId);
    chat.typing.set(conversationId, typing);
    chat.topics.announce(`typing:${conversationId}`);
    if (isTyping) setTimeout(() => chat.topics.announce(`typing:${conversationId}`), TYPING_MS + 50);
  },
  "presence.changed"(chat, { userId, isOnline }) {
    chat.online[isOnline ? "add" : "delete"](userId);
    chat.topics.announce("users");
  },
  "preferences.updated"(chat, { conversationId, ...preferences }) {
    chat.changeOwn(conversationId, preferences);
    chat.topics.announce(`draft:${conversationId}`);
  },
  "attention.updated"(chat, attention) {
    chat.attention = attention;
    chat.topics.announce("me");
  },
  "thread.updated"(chat, { threadId, notifications }) {
    chat.threads[notifications === "default" ? "delete" : "set"](threadId, notifications);
    chat.topics.announce("threads");
  },
  "notification.counted"(chat, { count }) {
    chat.notifications = count;
    chat.topics.announce("notifications");
  },
  "notification.created"(chat, notification) {
    chat.topics.announce("notifications");
    chat.onnotification?.(notification);
  },
  "notification.updated": (chat) => chat.topics.announce("notifications"),
  "notification.deleted": (chat) => chat.topics.announce("notifications"),
};
