// json-rpc-2.0 over ws, both as npm gives them: node jsonrpc_library.mjs ADDRESS TOKEN CONVERSATION
// Prints what it got: an ack, an error, a push, and the answers to a batch.

import { JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient, createJSONRPCRequest } from "json-rpc-2.0";
import WebSocket from "ws";

const [address, token, conversationId] = process.argv.slice(2);
const socket = new WebSocket(`ws://${address}/chat`, { headers: { authorization: `Bearer ${token}` } });
const peer = new JSONRPCServerAndClient(
  new JSONRPCServer(),
  new JSONRPCClient((request) => socket.send(JSON.stringify(request))),
);
const push = (name) => new Promise((resolve) => peer.addMethod(name, (params) => void resolve(params)));
const refusal = (promise) => promise.then(() => null, (error) => ({ code: error.code, data: error.data }));

const [ready, pushed] = [push("ready"), push("message:created")];
peer.addMethod("unread:count", () => {});
socket.on("message", (data) => peer.receiveAndSend(JSON.parse(data.toString())));
await ready;

const joined = await peer.request("conversation:join", { conversationId });
const sent = await peer.request("message:send", { conversationId, content: "hi" });
const error = await refusal(peer.request("message:send", { conversationId }));
const unknown = await refusal(peer.request("no:such:call", {}));
peer.notify("typing", { conversationId, isTyping: true });
const asked = ["a", "b"].map((id) => createJSONRPCRequest(id, "rpc.ping"));
const batch = (await peer.client.requestAdvanced(asked)).map((answer) => answer.result);
console.log(JSON.stringify({ joined, sent, error, unknown, batch, pushed: await pushed }));
socket.close();
