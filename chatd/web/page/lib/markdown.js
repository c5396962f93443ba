// The subset of Markdown that messages show, as DOM nodes: the text of a message never becomes HTML.
//
//   **bold**  *italic*  _italic_  ~~struck~~  `code`  ``` blocks ```  > quotes  - lists  https://links  @mentions
import { html, memo } from "./html.js";
import { CodeBlock } from "../views/code_block.js";

// Each part is bounded: a text that begins a thousand parts and ends none is read in a few milliseconds.
const INLINE = new RegExp([
  /(?<!`)`(?<codeText>[^`\n]{1,400})`(?!`)/,
  /(?<link>https?:\/\/[^\s<>"'`]{1,2000}[^\s<>"'`.,;:!?)\]}*_~])/,
  /\*\*(?<bold>[^\s*](?:[^\n]{0,400}?[^\s*])?)\*\*/,
  /(?<![\p{L}\p{N}*\\])\*(?<star>[^\s*](?:[^*\n]{0,400}?[^\s*])?)\*(?![\p{L}\p{N}*])/,
  /(?<![\p{L}\p{N}_\\])_(?<under>[^\s_](?:[^_\n]{0,400}?[^\s_])?)_(?![\p{L}\p{N}_])/,
  /~~(?<struck>[^\s~](?:[^\n]{0,400}?[^\s~])?)~~/,
  /(?<![\p{L}\p{N}])@(?<mention>[\p{L}\p{N}._-]+)/,
].map((part) => part.source).join("|"), "gu");
const MAX_DEPTH = 4;

function inline(text, known, depth = 0) {
  if (depth > MAX_DEPTH) return text;
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    const found = match.groups, node = nodeOf(found, match[0], known, depth);
    if (node === null) continue;
    parts.push(text.slice(end, match.index), node);
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return parts;
}

function nodeOf(found, whole, known, depth) {
  if (found.codeText) return html`<code>${found.codeText}</code>`;
  if (found.link) return html`<a href=${found.link} target="_blank" rel="noopener noreferrer nofollow">${found.link}</a>`;
  if (found.bold) return html`<strong>${inline(found.bold, known, depth + 1)}</strong>`;
  if (found.star ?? found.under) return html`<em>${inline(found.star ?? found.under, known, depth + 1)}</em>`;
  if (found.struck) return html`<s>${inline(found.struck, known, depth + 1)}</s>`;
  const name = found.mention.replace(/[._-]+$/, "");
  const mention = known.mentions.get(name.toLowerCase());
  if (mention === undefined) return null;
  const own = mention === 0 || mention === known.me;
  return html`<span class=${own ? "mention own" : "mention"}>${whole.slice(0, name.length + 1)}</span>${
    whole.slice(name.length + 1)}`;
}

const lines = (texts, known) => texts.map((text, index) => [index ? html`<br />` : null, inline(text, known)]);

const BLOCKS = [    // the line that begins a block, and how its lines are drawn
  [/^> ?/, (texts, known) => html`<blockquote>${lines(texts, known)}</blockquote>`],
  [/^[-*•] +/, (texts, known) => html`<ul>${texts.map((text) => html`<li>${inline(text, known)}</li>`)}</ul>`],
];

function blocks(text, known) {
  const found = [];
  let kind = null, gathered = [];
  const flush = () => {    // a paragraph has no empty lines at its ends: they only part it from other blocks
    while (!kind && gathered.length && !gathered[0].trim()) gathered.shift();
    while (!kind && gathered.length && !gathered.at(-1).trim()) gathered.pop();
    if (gathered.length) found.push(kind ? kind[1](gathered, known) : html`<p>${lines(gathered, known)}</p>`);
    gathered = [];
  };
  for (const line of text.split("\n")) {
    const next = BLOCKS.find(([begin]) => begin.test(line)) ?? null;
    if (next !== kind) { flush(); kind = next; }
    gathered.push(next ? line.replace(next[0], "") : line);
  }
  flush();
  return found;
}

export const Content = memo(function Content({ text, mentions, me }) {
  const known = { me, mentions: new Map((mentions ?? []).map((one) => [one.name.toLowerCase(), one.userId])) };
  const parts = text.split(/^```([\w+#-]*)[^\S\n]*\n([\s\S]*?)\n?```[^\S\n]*(?:\n|$)/m), found = [];
  for (let index = 0; index < parts.length; index += 3) {
    const plain = parts[index].replace(/^\n|\n$/g, "");
    if (plain) found.push(...blocks(plain, known));
    if (parts[index + 2] !== undefined) found.push(html`<${CodeBlock} language=${parts[index + 1]} text=${parts[index + 2]} />`);
  }
  return html`<div class="content" dir="auto">${found}</div>`;
});
