// The texts of hostile users: each is read in a few milliseconds, and nothing of it is lost.
import assert from "node:assert/strict";
import { test } from "node:test";

const { Content } = await import("../../../chatd/web/page/lib/markdown.js");

// The text of a tree of nodes, as a browser would show it.
function textOf(node) {
  if (node === null || node === undefined || node === false) return "";
  if (Array.isArray(node)) return node.map(textOf).join("");
  if (typeof node !== "object") return String(node);
  if (typeof node.type === "function") return node.props.text ?? "";
  return node.type === "br" ? "\n" : textOf(node.props.children);
}

const View = Content.prototype.render;
const shown = (text) => {
  const node = View.call({}, { text, mentions: [], me: 1 });
  return textOf(node.type(node.props));
};
const fill = (part, length = 10_000) => part.repeat(Math.ceil(length / part.length)).slice(0, length);

const HOSTILE = ["*", "**", "**a ", "__", "_a ", "~~", "~~a ", "`", "``a", "[", "@", "@a", "> ", "- ", "http://", "http://.", "https://a.b/(", "a*b_c~d`e", "```\n", "```a\nb\n", "\n", "**_~~`", "*a _b ~~c **d "];

test("a text of any kind is read soon, and its characters stay", () => {
  for (const part of HOSTILE) {
    const text = fill(part), began = process.cpuUsage().user, found = shown(text);
    const milliseconds = (process.cpuUsage().user - began) / 1000;
    assert.ok(milliseconds < 400, `${JSON.stringify(part)} takes ${milliseconds} ms`);
    assert.ok(found.length <= text.length, part);
  }
  let grown = "";
  for (let length = 1; grown.length < 9000; length++) grown += "`".repeat(length) + "a";
  assert.ok(shown(grown).length > 0);
});

test("marks that mark nothing stay as they were written", () => {
  for (const text of ["2 * 3 * 4", "a_b_c", "**", "~~ a ~~", "`", "5 > 3", "http://", "mail@example.org", "¯\\_(ツ)_/¯"])
    assert.equal(shown(text), text);
});
