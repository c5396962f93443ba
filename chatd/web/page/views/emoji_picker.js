// Any emoji of the table, by its name.
import { html, useLayoutEffect, useRef, useState } from "../lib/html.js";
import { EMOJI, named } from "../lib/emoji.js";
import { t } from "../lib/texts.js";

const MAX_SHOWN = 300;

export function EmojiPicker({ onPick }) {
  const [query, setQuery] = useState(""), box = useRef();
  useLayoutEffect(() => {
    box.current.querySelector("input").focus();
    const outside = (event) => { if (!box.current?.contains(event.target)) onPick(null); };
    addEventListener("pointerdown", outside);
    return () => removeEventListener("pointerdown", outside);
  }, []);
  const found = query ? named(query.toLowerCase(), MAX_SHOWN)
    : [...EMOJI].filter(([, emoji], index, all) => all.findIndex((one) => one[1] === emoji) === index).map(([name, emoji]) => ({ name, emoji }));
  return html`<div class="emoji-picker" ref=${box} role="dialog" aria-label=${t("react")}
    onKeyDown=${(event) => { if (event.key === "Escape") { event.stopPropagation(); onPick(null); } }}>
    <input type="search" aria-label=${t("searchEmoji")} placeholder=${t("searchEmoji")} value=${query} onInput=${(event) => setQuery(event.target.value)}
      onKeyDown=${(event) => { if (event.key === "Enter" && found[0]) { event.preventDefault(); onPick(found[0].emoji); } }} />
    <div class="emoji-grid">${found.map(({ name, emoji }) => html`<button key=${emoji} title=${`:${name}:`} aria-label=${name.replaceAll("_", " ")} onClick=${() => onPick(emoji)}>${emoji}</button>`)}</div>
  </div>`;
}
