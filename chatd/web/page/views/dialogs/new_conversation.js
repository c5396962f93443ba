import { html, useState } from "../../lib/html.js";
import { t } from "../../lib/texts.js";
import { go, hrefOf } from "../../state/place.js";
import { People } from "./people.js";

export default function NewConversation({ app, close }) {
  const [chosen, setChosen] = useState([]), [title, setTitle] = useState(""), [isPublic, setPublic] = useState(false);
  const [asGroup, setAsGroup] = useState(false);
  const isGroup = asGroup || chosen.length !== 1;
  const toggle = (user) => setChosen(chosen.some((one) => one.id === user.id) ? chosen.filter((one) => one.id !== user.id) : [...chosen, user]);
  async function make(event) {
    event.preventDefault();
    const memberIds = chosen.map((one) => one.id);
    const made = await app.attempt(() => app.chat.call("conversation.create", isGroup
      ? { type: "group", memberIds, visibility: isPublic ? "public" : "private", ...(title.trim() && { title: title.trim() }) } : { type: "private", memberIds }));
    if (!made) return;
    await app.chat.fetchConversation(made.id);
    close();
    go(hrefOf(made.id));
  }
  return html`<form onSubmit=${make}>
    <${People} app=${app} chosen=${chosen} onToggle=${toggle} />
    ${chosen.length === 1 && html`<label class="check"><input type="checkbox" checked=${asGroup} onChange=${(event) => setAsGroup(event.target.checked)} /> ${t("asGroup")}</label>`}
    ${isGroup && html`<div class="field"><label for="new-title">${t("title")}</label><input id="new-title" maxlength="200" value=${title} onInput=${(event) => setTitle(event.target.value)} /></div>
      <label class="check"><input type="checkbox" checked=${isPublic} onChange=${(event) => setPublic(event.target.checked)} /> ${t("publicGroup")}</label>`}
    <p class="row end"><button class="primary" disabled=${!chosen.length && !title.trim()}>${isGroup ? t("makeGroup") : t("startChat")}</button></p>
  </form>`;
}
