// A conversation: what one is notified of, its title and members, and what its owner may do.
import { html, useEffect, useState } from "../../lib/html.js";
import { nameOf } from "../../lib/format.js";
import { t } from "../../lib/texts.js";
import { useTopics } from "../../lib/topics.js";
import { go } from "../../state/place.js";
import { Avatar } from "../avatar.js";
import { Menu } from "../menu.js";
import { People } from "./people.js";

const LEVELS = ["all", "mentions", "none"], HOUR_MS = 3_600_000;

// Those who may not come back, and a button that lets them.
function Bans({ app, id, count }) {
  const [found, setFound] = useState([]);
  const load = () => app.chat.call("ban.list", { conversationId: id }).then(setFound, () => {});
  useEffect(() => { load(); }, [id, count]);
  if (!found.length) return null;
  const unban = async (userId) => { await app.attempt(() => app.chat.call("ban.remove", { conversationId: id, userId })); await load(); };
  return html`<fieldset><legend>${t("banned")}</legend><ul>${found.map(({ user }) => html`<li key=${user.id} class="list-row">
    <${Avatar} files=${app.files} user=${user} size="small" /><bdi>${nameOf(user)}</bdi><button onClick=${() => unban(user.id)}>${t("unban")}</button></li>`)}</ul></fieldset>`;
}

export default function Details({ app, id, close }) {
  const { chat } = app;
  useTopics(chat.topics, `conversation:${id}`, "users");
  const [adds, setAdds] = useState(false), conversation = chat.conversations.get(id);
  useEffect(() => { chat.fetchMembers(id).catch(() => {}); }, [id]);
  useEffect(() => { if (!conversation) close(); });
  if (!conversation) return null;
  const { me } = conversation, isGroup = conversation.type === "group";
  const mayManage = isGroup && ["owner", "admin"].includes(me.role), members = chat.members.get(id) ?? [];
  const call = (name, data = {}) => app.attempt(() => chat.call(name, { conversationId: id, ...data }));
  const prefer = (changes) => call("preferences.update", changes).then((found) => found && chat.changeOwn(id, found));
  const isMuted = me.mutedUntil && new Date(me.mutedUntil) > new Date();
  const role = (user, role) => call("member.update", { userId: user.id, role });
  const leave = async (name) => { if (await call(name) !== undefined) { close(); chat.forget(id); go(""); } };
  async function save(event) {
    event.preventDefault();
    const { title, topic } = Object.fromEntries(new FormData(event.target));
    if (await call("conversation.update", { title: title.trim() || null, topic: topic.trim() || null })) app.say(t("saved"));
  }
  const rowsOf = ({ user, role: now }) => [
    me.role === "owner" && now === "member" && ["check", t("makeAdmin"), () => role(user, "admin")],
    me.role === "owner" && now === "admin" && ["check", t("makeMember"), () => role(user, "member")],
    me.role === "owner" && ["forward", t("handOver"), () => role(user, "owner")],
    ["close", t("removeMember"), () => call("member.remove", { userId: user.id })],
    ["report", t("ban"), () => call("ban.add", { userId: user.id })],
  ].filter(Boolean);
  return html`<div class="details">
    ${mayManage && html`<form onSubmit=${save}>
      <div class="field"><label for="details-title">${t("title")}</label><input id="details-title" name="title" maxlength="200" defaultValue=${conversation.title ?? ""} /></div>
      <div class="field"><label for="details-topic">${t("topic")}</label><input id="details-topic" name="topic" maxlength="500" defaultValue=${conversation.topic ?? ""} /></div>
      <label class="check"><input type="checkbox" checked=${conversation.visibility === "public"} onChange=${(event) => call("conversation.update", { visibility: event.target.checked ? "public" : "private" })} /> ${t("publicGroup")}</label>
      <p class="row end"><button class="primary">${t("save")}</button></p></form>`}
    <fieldset><legend>${t("attention")}</legend>
      <label class="field"><span>${t("notifyOf")}</span><select value=${me.notifications} onChange=${(event) => prefer({ notifications: event.target.value })}>
        ${LEVELS.map((one) => html`<option key=${one} value=${one}>${t(`notify_${one}`)}</option>`)}</select></label>
      <label class="check"><input type="checkbox" checked=${isMuted} onChange=${(event) => prefer({ mutedUntil: event.target.checked ? new Date(Date.now() + 8 * HOUR_MS).toISOString() : null })} /> ${t("muteHours")}</label>
      <label class="check"><input type="checkbox" checked=${me.isArchived} onChange=${(event) => prefer({ isArchived: event.target.checked })} /> ${t("archive")}</label>
    </fieldset>
    ${isGroup && html`<fieldset><legend>${t("members", { count: conversation.memberIds.length })}</legend>
      <ul class="members">${members.map((member) => html`<li key=${member.user.id} class="list-row"><${Avatar} files=${app.files} user=${member.user} size="small" online=${chat.online.has(member.user.id)} />
        <button class="plain" onClick=${() => app.show("user", { user: member.user })}><bdi>${nameOf(member.user)}</bdi></button>
        ${member.role !== "member" && html`<span class="tag">${t(`role_${member.role}`)}</span>`}
        ${mayManage && member.user.id !== chat.me.id && member.role !== "owner" && html`<${Menu} label=${t("manage", { name: nameOf(member.user) })} rows=${rowsOf(member)} />`}</li>`)}</ul>
      ${mayManage && (adds ? html`<${People} app=${app} chosen=${[]} exclude=${conversation.memberIds} onToggle=${(user) => call("member.add", { userId: user.id }).then(() => setAdds(false))} />`
        : html`<p class="row"><button onClick=${() => setAdds(true)}>${t("addMember")}</button></p>`)}
    </fieldset>
    ${mayManage && html`<${Bans} app=${app} id=${id} count=${conversation.memberIds.length} />`}
    <p class="row end">${me.role !== "owner" && html`<button class="danger" onClick=${() => leave("conversation.leave")}>${t("leave")}</button>`}
      ${me.role === "owner" && html`<button class="danger" onClick=${() => confirm(t("deleteGroupSure")) && leave("conversation.delete")}>${t("deleteGroup")}</button>`}</p>`}
  </div>`;
}
