import { html, useEffect, useState } from "../../lib/html.js";
import { t } from "../../lib/texts.js";
import { go, hrefOf } from "../../state/place.js";
import { Avatar } from "../avatar.js";

export default function FindGroups({ app, close }) {
  const [query, setQuery] = useState(""), [found, setFound] = useState(null), { chat } = app;
  useEffect(() => {
    let wanted = true;
    chat.call("conversation.find", { limit: 50, ...(query.trim() && { query: query.trim() }) }).then(
      ({ items }) => wanted && setFound(items), () => wanted && setFound([]));
    return () => { wanted = false; };
  }, [query]);
  async function join(id) {
    if (!chat.conversations.has(id) && !await app.attempt(() => chat.call("conversation.join", { conversationId: id }))) return;
    await chat.fetchConversation(id);
    close();
    go(hrefOf(id));
  }
  return html`<div class="people">
    <input type="search" aria-label=${t("findGroups")} placeholder=${t("findGroups")} value=${query} onInput=${(event) => setQuery(event.target.value)} autofocus />
    ${!found ? html`<p class="hint" role="status">${t("loading")}</p>` : !found.length ? html`<p class="hint" role="status">${t("noGroups")}</p>`
      : html`<ul>${found.map((one) => html`<li key=${one.id} class="list-row"><${Avatar} files=${app.files} title=${one.title ?? "#"} seed=${one.id} size="small" />
        <span><bdi>${one.title ?? `#${one.id}`}</bdi><small>${one.topic ?? ""} ${t("members", { count: one.memberIds.length })}</small></span>
        <button onClick=${() => join(one.id)}>${chat.conversations.has(one.id) ? t("open") : t("join")}</button></li>`)}</ul>`}
  </div>`;
}
