// Two chats against a real server, behind a relay that cuts: argv is a JSON of {url, tokens, conversationId, sends}.
// Writes a line for each message that the second hears; a line on standard input goes on with the next send.
import { createInterface } from "node:readline";
import WebSocket from "ws";
import { connect } from "../../chatd/web/client.js";

const { url, tokens, conversationId, sends } = JSON.parse(process.argv[2]);
const [sender, hearer] = tokens.map((token) => connect(url, { token, WebSocket, random: () => 0.02 }));
const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

hearer.on("gap", (event) => say({ gap: event.data }));
hearer.on("message:created", (event) => say({ heard: event.data.content, position: event.position }));
await hearer.call("conversation:join", { conversationId });
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
hearer.close();
process.exit(0);
