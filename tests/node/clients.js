// The stock client of Socket.IO, controlled from outside: one JSON line in is one thing to do, one line out is one thing
// that has happened. Nothing here knows what it is for.
import { createInterface } from "node:readline";
import { io as io4 } from "socket.io-client";
import { io as io3 } from "socket.io-client-3";

const sockets = new Map();
const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

const acts = {
  open({ name, version = 4, url, options = {} }) {
    const socket = (version === 3 ? io3 : io4)(url, options);
    sockets.set(name, socket);
    socket.on("connect", () =>
      say({ name, kind: "connect", transport: socket.io.engine.transport.name, id: socket.id,
        recovered: !!socket.recovered }));
    socket.on("disconnect", (reason) => say({ name, kind: "disconnect", reason }));
    socket.on("connect_error", (error) => say({ name, kind: "connect_error", message: error.message, data: error.data }));
    socket.onAny((event, ...args) => say({ name, kind: "event", event, args }));
    socket.io.on("open", () =>
      socket.io.engine.on("upgrade", (transport) => say({ name, kind: "upgrade", transport: transport.name })));
  },
  emit({ name, event, args = [], ack }) {
    const socket = sockets.get(name);
    if (ack === undefined) socket.emit(event, ...args);
    else socket.emit(event, ...args, (...answer) => say({ name, kind: "ack", ack, args: answer }));
  },
  close({ name }) {
    sockets.get(name).disconnect();
  },
  open_again({ name }) {
    sockets.get(name).connect();
  },
  cut({ name }) {
    sockets.get(name).io.engine.close();
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { act, ...rest } = JSON.parse(line);
  acts[act](rest);
}
process.exit(0);
