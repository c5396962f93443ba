// Two chats against a real server, behind a relay that cuts: argv is a JSON of {url, tokens, conversationId, sends}.
// Writes a line for each message that the second receives; a line on standard input goes on with the next send.
import { createInterface } from "node:readline";
import WebSocket from "ws";
import { connect } from "../../chatd/web/client.js";

const { url, tokens, conversationId, sends } = JSON.parse(process.argv[2]);
const [sender, receiver] = tokens.map((token) => connect(url, { token, WebSocket, random: () => 0.02 }));
const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

receiver.on("gap", (event) => say({ gap: event.data }));
receiver.on("message:created", (event) => say({ received: event.data.content, position: event.position }));
await receiver.call("conversation:join", { conversationId });
try {
  await sender.call("no:such", {});
} catch (problem) {
  say({ refused: problem.code });
}
for (let i = 0; i < sends; i++) {
  const ack = await sender.send("message:send", { conversationId, content: String(i) });
  say({ acked: ack.data.content });
  await lines.next();
}
sender.close();
receiver.close();
process.exit(0);
