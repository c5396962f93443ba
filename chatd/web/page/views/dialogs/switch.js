// Any conversation by a part of its name, also an archived one; the unread ones come first.
import { html, useState } from "../../lib/html.js";
import { t } from "../../lib/texts.js";
import { go, hrefOf } from "../../state/place.js";
import { Avatar } from "../avatar.js";

const MAX_SHOWN = 12;
const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

export default function Switch({ app, close }) {
  const { chat } = app;
  const [query, setQuery] = useState(""), [chosen, setChosen] = useState(0);
  const rank = (one) => (one.me.mentions ? 2 : one.me.unread && !chat.isMuted(one) ? 1 : 0);
  const found = (query ? chat.all : chat.ordered).filter((one) => plain(chat.titleOf(one)).includes(plain(query)))
    .map((one, index) => ({ one, index })).sort((a, b) => rank(b.one) - rank(a.one) || a.index - b.index).slice(0, MAX_SHOWN).map(({ one }) => one);
  const open = (one) => { close(); go(hrefOf(one.id)); };
  function pressed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) { event.preventDefault(); setChosen((chosen + step + found.length) % found.length); }
    else if (event.key === "Enter" && found[chosen]) { event.preventDefault(); open(found[chosen]); }
  }
  return html`<div class="people">
    <input type="search" role="combobox" aria-expanded="true" aria-controls="switch-list" aria-label=${t("jump")} placeholder=${t("jump")} value=${query} autofocus
      aria-activedescendant=${found[chosen] ? `switch-${found[chosen].id}` : null} onKeyDown=${pressed} onInput=${(event) => { setQuery(event.target.value); setChosen(0); }} />
    <ul id="switch-list" role="listbox" aria-label=${t("conversations")}>${found.map((one, index) => html`<li key=${one.id} id="switch-${one.id}" role="option" aria-selected=${index === chosen} class="list-row" onClick=${() => open(one)}>
      <${Avatar} files=${app.files} title=${chat.titleOf(one)} seed=${one.other?.id ?? one.id} size="small" /><bdi>${chat.titleOf(one)}</bdi>
      ${one.me.unread > 0 && html`<span class="badge">${one.me.unread}</span>`}</li>`)}</ul>
    ${!found.length && html`<p class="hint" role="status">${t("nothingFound")}</p>`}
  </div>`;
}
