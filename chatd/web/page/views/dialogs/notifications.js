import { classes, html, useEffect, useState } from "../../lib/html.js";
import { short } from "../../lib/format.js";
import { t } from "../../lib/texts.js";
import { useTopics } from "../../lib/topics.js";
import { go, hrefOf } from "../../state/place.js";
import { IconButton } from "../icons.js";

export default function Notifications({ app, close }) {
  const { chat } = app, [found, setFound] = useState(null), [next, setNext] = useState(null);
  useTopics(chat.topics, "notifications");
  async function load(before = null) {
    const page = await app.attempt(() => chat.call("notification.list", { limit: 30, ...before }));
    if (!page) return;
    setFound((now) => (before ? [...now, ...page.items] : page.items));
    setNext(page.next);
  }
  useEffect(() => { load(); }, []);
  useEffect(() => chat.topics.on("notifications", () => load()), []);
  async function open(one) {
    if (!one.isRead) await app.attempt(() => chat.call("notification.read", { notificationId: one.id }));
    const id = Number(one.relatedId);
    if (chat.conversations.has(id)) { close(); go(hrefOf(id)); }
  }
  return html`<div class="notifications">
    <p class="row end"><button disabled=${!chat.notifications} onClick=${() => app.attempt(() => chat.call("notification.readAll"))}>${t("readAll")}</button></p>
    ${found && !found.length && html`<p class="hint">${t("noNotifications")}</p>`}
    <ul class="hits">${(found ?? []).map((one) => html`<li key=${one.id} class=${classes("with-action", !one.isRead && "unread")}><button onClick=${() => open(one)}>
      <span class="hit-head"><bdi>${one.title}</bdi><time datetime=${one.createdAt}>${short(one.createdAt)}</time></span><p dir="auto">${one.content}</p></button>
      <${IconButton} name="trash" label=${t("delete")} onClick=${() => app.attempt(() => chat.call("notification.delete", { notificationId: one.id }))} /></li>`)}</ul>
    ${next && html`<p class="row end"><button onClick=${() => load(next)}>${t("more")}</button></p>`}
  </div>`;
}
