// The messages of conversations and threads: a part without holes of each, which grows at both ends as it is read.
//
// Topic: timeline:KEY, where the key is the conversation's id, or "t" and the id of a thread's root.

const PAGE_ROWS = 50;
const KEPT_TIMELINES = 12;

export class Timeline {
  items = []; hasOlder = true; hasNewer = false; loaded = false; failed = false;
  #running = null; #turn = 0; #extending = false;

  constructor(timelines, key, list) {
    Object.assign(this, { timelines, key, list });
    this.rootId = key.startsWith("t") ? Number(key.slice(1)) : null;
    this.root = null;    // the message that a thread began with
  }

  get last() { return this.items.at(-1); }

  announce() { this.timelines.chat.topics.announce(`timeline:${this.key}`); }

  // One request at a time. A jump to another place makes the answers of earlier requests void.
  async #run(act) {
    const turn = this.#turn;
    const current = () => turn === this.#turn;
    await (this.#running = (this.#running ?? Promise.resolve()).then(() => current() && act(current)).then(
      () => { this.failed = false; }, (problem) => { this.failed = problem; }));
    this.announce();
  }

  #extend(act) {
    this.#extending = true;
    this.#run(act).finally(() => { this.#extending = false; });
  }

  #jump(act) { this.#turn += 1; this.#running = null; return this.#run(act); }

  loadLatest() {
    return this.#jump(async (current) => {
      const { items } = await this.list({ limit: PAGE_ROWS });
      if (this.rootId !== null) this.root = await this.timelines.chat.read("message.get", { messageId: this.rootId });
      if (current()) this.#set(items, items.length === PAGE_ROWS, false);
    });
  }

  // The messages around one, which becomes the place that the view shows.
  loadAround(id) {
    return this.#jump(async (current) => {
      const [older, newer] = await Promise.all([
        this.list({ limit: PAGE_ROWS, before: id + 1 }), this.list({ limit: PAGE_ROWS, after: id })]);
      if (current()) this.#set([...older.items, ...newer.items],
        older.items.length === PAGE_ROWS, newer.items.length === PAGE_ROWS);
    });
  }

  #set(items, hasOlder, hasNewer) {
    for (const message of items) this.timelines.chat.keepUser(message.sender);
    Object.assign(this, { items, hasOlder, hasNewer, loaded: true });
  }

  older() {
    if (!this.hasOlder || !this.items.length || this.#extending) return;
    this.#extend(async (current) => {
      const { items } = await this.list({ limit: PAGE_ROWS, before: this.items[0].id });
      if (current()) this.#set([...items, ...this.items], items.length === PAGE_ROWS, this.hasNewer);
    });
  }

  newer() {
    if (!this.hasNewer || this.#extending) return;
    this.#extend(async (current) => {
      const { items } = await this.list({ limit: PAGE_ROWS, after: this.last?.id ?? 0 });
      const known = new Set(this.items.map((one) => one.id));
      const added = items.filter((one) => !known.has(one.id));
      if (current()) this.#set([...this.items, ...added], this.hasOlder, items.length === PAGE_ROWS);
    });
  }

  add(message) {
    if (!this.loaded || this.hasNewer || (this.last && message.id <= this.last.id)) return;
    this.items = [...this.items, message];
    this.announce();
  }

  replace(change) {
    let changed = this.root !== null && this.root !== (this.root = change(this.root));
    const items = this.items.map((one) => {
      const other = change(one);
      changed ||= other !== one;
      return other;
    });
    if (!changed) return;
    this.items = items;
    this.announce();
  }

  remove(id) {
    const items = this.items.filter((one) => one.id !== id);
    if (items.length === this.items.length) return;
    this.items = items;
    this.announce();
  }
}

export class Timelines {
  #made = new Map();

  constructor(chat) { this.chat = chat; }

  of(conversationId) {
    return this.#get(String(conversationId), (window) => this.chat.read("message.list", { conversationId, ...window }));
  }

  ofThread(rootId) {
    return this.#get(`t${rootId}`, (window) => this.chat.read("thread.list", { messageId: rootId, ...window }));
  }

  #get(key, list) {
    const made = this.#made.get(key) ?? new Timeline(this, key, list);
    this.#made.delete(key);    // the one that was used last is the last of the map
    this.#made.set(key, made);
    if (this.#made.size > KEPT_TIMELINES) this.#made.delete(this.#made.keys().next().value);
    return made;
  }

  #each(conversationId, act) {
    for (const timeline of this.#made.values())
      if (timeline.rootId !== null || timeline.key === String(conversationId)) act(timeline);
  }

  add(message) {
    this.#made.get(String(message.conversationId))?.add(message);
    if (message.threadId) this.#made.get(`t${message.threadId}`)?.add(message);
  }

  change(message) {
    this.#each(message.conversationId, (timeline) => timeline.replace((one) => {
      if (one.id === message.id) return { ...one, ...message };
      if (one.replyTo?.id !== message.id) return one;
      return { ...one, replyTo: { ...one.replyTo, content: message.content?.slice(0, 200) ?? null } };
    }));
  }

  remove(conversationId, id) {
    this.#each(conversationId, (timeline) => {
      timeline.remove(id);
      timeline.replace((one) => (one.replyTo?.id === id ? { ...one, replyTo: { ...one.replyTo, content: null } } : one));
    });
  }

  seen(conversationId, id, userId) {
    this.#each(conversationId, (timeline) => timeline.replace((one) =>
      one.conversationId !== conversationId || one.id > id || one.sender.id === userId || one.seenBy.includes(userId)
        ? one : { ...one, seenBy: [...one.seenBy, userId] }));
  }

  forget(conversationId) { this.#made.delete(String(conversationId)); }

  latest(rows) {    // the newest messages of each conversation that was looked at
    const found = [...this.#made].filter(([, one]) => one.rootId === null && one.loaded && !one.hasNewer);
    return found.map(([key, one]) => [key, one.items.slice(-rows)]);
  }

  restore(kept) {
    for (const [key, items] of kept) {
      const timeline = this.of(Number(key));
      if (!timeline.loaded) Object.assign(timeline, { items, loaded: true, hasOlder: items.length > 0 });
    }
  }

  reload() {    // after a gap: what is shown is fetched again
    for (const timeline of this.#made.values())
      if (timeline.loaded && !timeline.hasNewer) timeline.loadLatest();
      else if (timeline.loaded) timeline.loadAround(timeline.items[Math.floor(timeline.items.length / 2)].id);
  }
}
