// A chat on ws, as its README broadcasts: JSON.parse, one JSON.stringify, client.send for each.
// node ws.mjs [none|full|normal|grouped] [DIRECTORY]
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { openStore } from "./store.mjs";

const [, , storeName = "none", directory = "."] = process.argv;
const store = await openStore(storeName, directory);
const http = createServer();
const server = new WebSocketServer({ server: http });
const rooms = new Map();
let users = 0;

function join(socket, conversationId) {
  if (!rooms.has(conversationId)) rooms.set(conversationId, new Set());
  rooms.get(conversationId).add(socket);
  socket.on("close", () => rooms.get(conversationId).delete(socket));
}

function broadcast(message) {
  const text = JSON.stringify({ jsonrpc: "2.0", method: "message:created", params: message });
  for (const client of rooms.get(message.conversationId) ?? []) {
    if (client.readyState === WebSocket.OPEN) client.send(text);
  }
}

server.on("connection", (socket) => {
  const userId = ++users;
  const answer = (id, result) => socket.send(JSON.stringify({ jsonrpc: "2.0", id, result }));
  socket.on("error", console.error);
  socket.on("message", (data) => {
    const { id, method, params } = JSON.parse(data);
    if (method === "conversation:join") {
      join(socket, params.conversationId);
      answer(id, { ok: true });
    } else if (method === "message:send") {
      const { conversationId, content } = params;
      const message = {
        _id: "", conversationId, sender_id: userId, content, created_at: new Date().toISOString(),
      };
      store(message, () => {
        broadcast(message);
        answer(id, { ok: true, data: message });
      });
    }
  });
});

http.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
  console.error(`ws listening on http://127.0.0.1:${http.address().port}`);
});
