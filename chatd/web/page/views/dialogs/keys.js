import { html } from "../../lib/html.js";
import { t } from "../../lib/texts.js";

const KEYS = [
  [["Enter"], "key_send"], [["Shift", "Enter"], "key_line"], [["↑"], "key_editLast"], [["Ctrl", "K"], "key_switch"],
  [["Ctrl", "Shift", "F"], "key_search"], [["Alt", "↓"], "key_nextUnread"], [["Alt", "↑"], "key_previousUnread"],
  [["Esc"], "key_markRead"], [["↑", "↓"], "key_messages"], [["@"], "key_mention"], [[":"], "key_emoji"], [["?"], "key_help"],
];

export default function Keys() {
  return html`<dl class="keys">${KEYS.map(([keys, text]) => html`<div key=${text}><dt>${keys.map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${t(text)}</dd></div>`)}</dl>`;
}
