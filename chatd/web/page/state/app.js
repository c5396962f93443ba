// Everything that belongs to one user who is signed in.
import { Chat } from "./chat.js";
import { Drafts } from "./drafts.js";
import { Files } from "./files.js";
import { Outbox } from "./outbox.js";
import { Snapshot } from "./snapshot.js";
import { Store } from "./store.js";

export async function openApp(session) {
  const { id } = session.user, store = await Store.open(id);
  const chat = new Chat(session), outbox = new Outbox(chat, store, id), snapshot = new Snapshot(chat, store);
  await Promise.all([Snapshot.restore(chat, store), outbox.open()]);
  return { session, chat, outbox, store, drafts: new Drafts(chat), files: new Files(session),
    close() { for (const part of [snapshot, outbox, chat, store]) part.close(); },
    forget() { Store.remove(id); } };
}
