// client.js uploads through a relay that cuts: argv is a JSON of {url, token, bytes}. Prints a line for each act.
import { createHash } from "node:crypto";
import WebSocket from "ws";
import { connect } from "../../chatd/web/client.js";

const { url, token, bytes } = JSON.parse(process.argv[2]);
let tokens = 0;
// In Node 20, a fetch whose connection is cut at a certain moment never settles.
const soon = (address, options) =>
  fetch(address, { ...options, signal: AbortSignal.any([options.signal, AbortSignal.timeout(2000)].filter(Boolean)) });
const chat = connect(url, { token: async () => (tokens++ ? token : token.slice(0, -4)), WebSocket, fetch: soon,
  random: () => 0.02 });
const print = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const text = "a line of the upload\n".repeat(bytes / 21 + 1).slice(0, bytes);

const steps = [];
const file = await chat.upload(new Blob([text]), { name: "plän.txt", progress: (sent) => steps.push(sent) });
print({ file, digest: createHash("sha256").update(text).digest("hex"), steps: steps.length, last: steps.at(-1) });

const refused = async (...arguments_) => chat.upload(...arguments_).then(() => "accepted", (problem) => problem.code);
print({ refused: await refused(new Blob(["<html>"]), { name: "a.txt" }), empty: await refused(new Blob([])) });

const controller = new AbortController();
let begun = "";
const ended = await chat.upload(new Blob([text]), { signal: controller.signal, onbegin: (id) => { begun = id; },
  progress: () => controller.abort() }).catch((problem) => problem.name);
const known = await fetch(`${url}/files/tus/${begun}`, { method: "HEAD",
  headers: { Authorization: `Bearer ${token}`, "Tus-Resumable": "1.0.0" } });
print({ ended, status: known.status });
chat.close();
