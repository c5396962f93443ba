// Invite links, for administrators. A link is shown once; a used one is gone by itself.
import { html, useEffect, useState } from "../../lib/html.js";
import { moment } from "../../lib/format.js";
import { t } from "../../lib/texts.js";

const DAY_SECONDS = 86_400;

export default function Invites({ app }) {
  const { chat } = app, [found, setFound] = useState(null), [link, setLink] = useState(""), [uses, setUses] = useState(1);
  const load = async () => setFound(await app.attempt(() => chat.call("invite.list")) ?? []);
  useEffect(() => { load(); }, []);
  async function make(event) {
    event.preventDefault();
    const made = await app.attempt(() => chat.call("invite.create", { uses: Number(uses), ttlSeconds: 7 * DAY_SECONDS }));
    if (!made) return;
    setLink(`${location.origin}/#invite=${made.token}`);
    await load();
  }
  const copy = () => navigator.clipboard?.writeText(link).then(() => app.say(t("copied")));
  const revoke = async (id) => { await app.attempt(() => chat.call("invite.revoke", { inviteId: id })); await load(); };
  return html`<div>
    <form onSubmit=${make}><div class="field"><label for="invite-uses">${t("inviteUses")}</label>
      <input id="invite-uses" type="number" min="1" max="10000" value=${uses} onInput=${(event) => setUses(event.target.value)} /></div>
      <p class="row end"><button class="primary">${t("makeInvite")}</button></p></form>
    ${link && html`<div class="field"><label for="invite-link">${t("inviteLink")}</label><input id="invite-link" readonly value=${link} dir="ltr" onFocus=${(event) => event.target.select()} />
      <p class="row end"><button onClick=${copy}>${t("copy")}</button></p></div>`}
    <ul>${(found ?? []).map((one) => html`<li key=${one.id} class="list-row"><span>${t("inviteLeft", { count: one.uses })}<small>${t("until")} ${moment(one.expiresAt)}</small></span>
      <button onClick=${() => revoke(one.id)}>${t("revoke")}</button></li>`)}</ul>
  </div>`;
}
