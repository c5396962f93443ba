// Where a Node peer keeps its messages. Every store takes a message and a callback that is called once the
// message is as safe as that store makes it.
//
//   none      nowhere: the broadcast alone
//   full      better-sqlite3, WAL, one insert a message, synchronous=FULL: what its documentation shows
//   normal    the same at synchronous=NORMAL: may lose the last messages at a power cut
//   grouped   an expert's: what one turn of the event loop received goes into one transaction at FULL
import { mkdtempSync } from "node:fs";
import { join } from "node:path";

const SCHEMA = `CREATE TABLE messages (
  id INTEGER PRIMARY KEY, conversation TEXT NOT NULL, sender INTEGER NOT NULL,
  content TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE INDEX messages_by_conversation ON messages (conversation, id);`;

async function open(directory, synchronous) {
  const { default: Database } = await import("better-sqlite3");
  const database = new Database(join(mkdtempSync(join(directory, "peer-")), "chat.db"));
  database.pragma("journal_mode = WAL");
  database.pragma(`synchronous = ${synchronous}`);
  database.exec(SCHEMA);
  const insert = database.prepare(
    "INSERT INTO messages (conversation, sender, content, created_at) VALUES (?, ?, ?, ?)",
  );
  const keep = (message) => {
    const { conversationId, sender_id, content, created_at } = message;
    message._id = spell(insert.run(conversationId, sender_id, content, created_at).lastInsertRowid);
  };
  return { database, keep };
}

const spell = (id) => id.toString(16).padStart(24, "0");

function nowhere() {
  let last = 0;
  return (message, done) => {
    message._id = spell(++last);
    done();
  };
}

async function oneByOne(directory, synchronous) {
  const { keep } = await open(directory, synchronous);
  return (message, done) => {
    keep(message);
    done();
  };
}

async function grouped(directory) {
  const { database, keep } = await open(directory, "FULL");
  const keepAll = database.transaction((batch) => {
    for (const { message } of batch) keep(message);
  });
  let waiting = [];
  const commit = () => {
    const batch = waiting;
    waiting = [];
    keepAll(batch);
    for (const { done } of batch) done();
  };
  return (message, done) => {
    if (waiting.push({ message, done }) === 1) setImmediate(commit);
  };
}

export function openStore(name, directory) {
  switch (name) {
    case "none":
      return nowhere();
    case "full":
    case "normal":
      return oneByOne(directory, name.toUpperCase());
    case "grouped":
      return grouped(directory);
    default:
      throw new Error(`no store called ${name}`);
  }
}
