import { html } from "../../lib/html.js";
import { t } from "../../lib/texts.js";

export default function Delete({ app, message, close }) {
  const remove = () => { close(); app.attempt(() => app.chat.call("message.delete", { messageId: message.id })); };
  return html`<div><blockquote dir="auto">${message.content || message.attachments[0]?.file?.name}</blockquote><p>${t("deleteSure")}</p>
    <p class="row end"><button onClick=${close}>${t("cancel")}</button><button class="danger" onClick=${remove} autofocus>${t("delete")}</button></p></div>`;
}
