import { html, useRef } from "../../lib/html.js";
import { t } from "../../lib/texts.js";

export default function Report({ app, message, close }) {
  const area = useRef();
  async function send(event) {
    event.preventDefault();
    if (await app.attempt(() => app.chat.call("message.report", { messageId: message.id, reason: area.current.value.trim() }))) { close(); app.say(t("reported")); }
  }
  return html`<form onSubmit=${send}><blockquote dir="auto">${message.content}</blockquote>
    <div class="field"><label for="report-reason">${t("reason")}</label><textarea id="report-reason" ref=${area} rows="3" required autofocus /></div>
    <p class="row end"><button class="primary">${t("report")}</button></p></form>`;
}
