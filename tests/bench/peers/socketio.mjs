// A chat on socket.io, as its documentation builds one: a namespace, rooms, acks, io.to(room).emit.
// node socketio.mjs [none|full|normal|grouped] [DIRECTORY]
import { createServer } from "node:http";
import { Server } from "socket.io";
import { openStore } from "./store.mjs";

const [, , storeName = "none", directory = "."] = process.argv;
const store = await openStore(storeName, directory);
const http = createServer();
const chat = new Server(http, { serveClient: false }).of("/chat");
let users = 0;

chat.on("connection", (socket) => {
  const userId = ++users;
  socket.on("conversation:join", ({ conversationId }, ack) => {
    socket.join(`conversation:${conversationId}`);
    ack({ ok: true });
  });
  socket.on("message:send", ({ conversationId, content }, ack) => {
    const message = {
      _id: "", conversationId, sender_id: userId, content, created_at: new Date().toISOString(),
    };
    store(message, () => {
      chat.to(`conversation:${conversationId}`).emit("message:created", message);
      ack({ ok: true, data: message });
    });
  });
});

http.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
  console.error(`socket.io listening on http://127.0.0.1:${http.address().port}`);
});
