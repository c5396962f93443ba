// The list of conversations, and who one is.
import { classes, html, memo, useEffect, useState } from "../lib/html.js";
import { nameOf, short } from "../lib/format.js";
import { t } from "../lib/texts.js";
import { useTopics } from "../lib/topics.js";
import { hrefOf } from "../state/place.js";
import { Avatar } from "./avatar.js";
import { Icon, IconButton } from "./icons.js";

const SHOWN_AT_FIRST = 40, MORE_ROWS = 40;

export function previewOf(message, chat) {
  if (!message) return "";
  const text = message.content || (message.attachments.length ? attachmentWord(message.attachments[0]) : "");
  return message.sender.id === chat.me?.id ? t("you", { text }) : text;
}

const attachmentWord = ({ type, file }) => (type === "IMAGE" || file?.type.startsWith("image/") ? t("picture") : file?.name ?? t("file"));

const Row = memo(function Row({ app, conversation, current, online, typing, waiting }) {
  const { chat } = app, { me, lastMessage, id } = conversation;
  const title = chat.titleOf(conversation), muted = chat.isMuted(conversation);
  const draft = !current && app.drafts.get(id);
  return html`<li><a href=${hrefOf(id)} class=${classes("conversation-row", current && "current", me.unread && !muted && "unread")}
    aria-current=${current ? "page" : null}>
    <${Avatar} files=${app.files} title=${title} seed=${conversation.other?.id ?? id} url=${conversation.avatarUrl ?? conversation.other?.avatarUrl} online=${online} />
    <span class="row-title"><bdi>${title}</bdi>${muted && html`<${Icon} name="mute" />`}</span>
    ${lastMessage && html`<time datetime=${lastMessage.createdAt}>${short(lastMessage.createdAt)}</time>`}
    <span class="row-preview" dir="auto">${typing ? html`<em>${t("typing")}</em>` : waiting ? html`<em>${t("waiting")}</em>`
      : draft ? html`<em>${t("draft")}</em> ${draft}` : previewOf(lastMessage, chat)}</span>
    ${me.mentions > 0 && html`<span class="badge mention" title=${t("mentions", { count: me.mentions })}>@<span class="sr-only">${t("mentions", { count: me.mentions })}</span></span>`}
    ${me.unread > 0 && html`<span class=${classes("badge", muted && "muted")}><span aria-hidden="true">${me.unread > 999 ? "999+" : me.unread}</span>
      <span class="sr-only">${t("unread", { count: me.unread })}</span></span>`}
  </a></li>`;
});

function Connection({ chat }) {
  useTopics(chat.topics, "connection");
  if (chat.connection === "online") return null;
  return html`<p class="connection" role="status">${chat.connection === "connecting" ? t("connecting") : t("offline")}</p>`;
}

export function Sidebar({ app, current }) {
  const { chat } = app;
  const [shown, setShown] = useState(SHOWN_AT_FIRST);
  useTopics(chat.topics, "conversations", "users", "notifications", "outbox", "me", `typing:${current}`);
  const all = chat.ordered, me = chat.me ?? app.session.user;
  const waiting = new Set(app.outbox.items.map((one) => one.conversationId));

  useEffect(() => {    // the rest of a long list comes when nothing else is to do
    if (shown >= all.length) return undefined;
    const timer = setTimeout(() => setShown(shown + MORE_ROWS), 30);
    return () => clearTimeout(timer);
  }, [shown, all.length]);

  return html`<nav class="sidebar" aria-label=${t("conversations")}>
    <header>
      <button class="profile-button" onClick=${() => app.show("profile")} aria-label=${t("profileOf", { name: nameOf(me) })}>
        <${Avatar} files=${app.files} user=${me} size="small" /><bdi>${nameOf(me)}</bdi></button>
      <span class="spacer" />
      <${IconButton} name="search" label=${t("search")} onClick=${() => app.show("search")} />
      <span class="with-badge"><${IconButton} name="bell" label=${t("notificationsCount", { count: chat.notifications })} onClick=${() => app.show("notifications")} />
        ${chat.notifications > 0 && html`<span class="badge" aria-hidden="true">${chat.notifications > 99 ? "99+" : chat.notifications}</span>`}</span>
      <${IconButton} name="add" label=${t("newConversation")} onClick=${() => app.show("new")} />
    </header>
    <${Connection} chat=${chat} />
    ${all.length === 0 ? html`<p class="hint padded">${chat.synced ? t("noConversations") : t("loading")}</p>`
      : html`<ul class="conversation-list">${all.slice(0, shown).map((one) => html`<${Row} key=${one.id} app=${app} conversation=${one}
        current=${one.id === current} online=${one.other ? chat.online.has(one.other.id) : false}
        typing=${one.other ? chat.typingIn(one.id).length > 0 : false} waiting=${waiting.has(one.id)} />`)}</ul>`}
    <footer><button class="link" onClick=${() => app.show("switch")}>${t("jump")} <kbd>Ctrl</kbd> <kbd>K</kbd></button>
      <button class="link" onClick=${() => app.show("find")}>${t("findGroups")}</button></footer>
  </nav>`;
}
