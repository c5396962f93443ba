// The database of this browser for one user: what waits to be sent, and what the page showed last.

const OUTBOX = "outbox", SHOWN = "shown";

export const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

const nameOf = (userId) => `chatd-${userId}`;

export class Store {
  static async open(userId) {
    const store = new Store();
    try {
      const opening = indexedDB.open(nameOf(userId), 1);
      opening.onupgradeneeded = () => {
        opening.result.createObjectStore(OUTBOX, { keyPath: "clientId" });
        opening.result.createObjectStore(SHOWN);
      };
      store.database = await done(opening);
      store.database.onversionchange = () => store.database.close();
    } catch {    // a private window: all is in memory only
      store.database = null;
    }
    return store;
  }

  static remove(userId) { indexedDB.deleteDatabase(nameOf(userId)); }

  close() { this.database?.close(); }

  async #use(name, mode, act) {
    if (!this.database) return undefined;
    try {
      return await done(act(this.database.transaction(name, mode).objectStore(name)));
    } catch (problem) {
      if (problem.name === "InvalidStateError") return undefined;    // closed: the user has signed out
      throw problem;
    }
  }

  async waiting() { return (await this.#use(OUTBOX, "readonly", (store) => store.getAll())) ?? null; }
  keepWaiting(item) { return this.#use(OUTBOX, "readwrite", (store) => store.put(item)); }
  dropWaiting(clientId) { return this.#use(OUTBOX, "readwrite", (store) => store.delete(clientId)); }

  shown() { return this.#use(SHOWN, "readonly", (store) => store.get("state")); }
  keepShown(state) { return this.#use(SHOWN, "readwrite", (store) => store.put(state, "state")); }
}
