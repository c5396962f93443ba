import { html, useState } from "../../lib/html.js";
import { t } from "../../lib/texts.js";
import { Avatar } from "../avatar.js";

export default function Forward({ app, message, close }) {
  const { chat } = app, [query, setQuery] = useState("");
  const found = chat.ordered.filter((one) => chat.titleOf(one).toLowerCase().includes(query.toLowerCase())).slice(0, 20);
  async function send(one) {
    const sent = await app.attempt(() => chat.call("message.forward", { messageId: message.id, conversationId: one.id }));
    if (sent) { close(); app.say(t("forwardedTo", { name: chat.titleOf(one) })); }
  }
  return html`<div class="people"><input type="search" aria-label=${t("jump")} placeholder=${t("jump")} value=${query} onInput=${(event) => setQuery(event.target.value)} autofocus />
    <ul>${found.map((one) => html`<li key=${one.id} class="list-row"><${Avatar} files=${app.files} title=${chat.titleOf(one)} seed=${one.other?.id ?? one.id} size="small" /><bdi>${chat.titleOf(one)}</bdi>
      <button onClick=${() => send(one)}>${t("send")}</button></li>`)}</ul></div>`;
}
