import { html, useEffect, useState } from "../../lib/html.js";
import { nameOf, short } from "../../lib/format.js";
import { t } from "../../lib/texts.js";
import { go, hrefOf } from "../../state/place.js";

export default function Pins({ app, id, close }) {
  const [found, setFound] = useState(null);
  useEffect(() => { app.attempt(() => app.chat.call("pin.list", { conversationId: id })).then((items) => setFound(items ?? [])); }, [id]);
  if (!found) return html`<p class="hint" role="status">${t("loading")}</p>`;
  if (!found.length) return html`<p class="hint">${t("noPins")}</p>`;
  return html`<ul class="hits">${found.map((message) => html`<li key=${message.id}><button onClick=${() => { close(); go(hrefOf(id, { message: message.id })); }}>
    <span class="hit-head"><bdi>${nameOf(message.sender)}</bdi><time datetime=${message.createdAt}>${short(message.createdAt)}</time></span><p dir="auto">${message.content}</p></button></li>`)}</ul>`;
}
