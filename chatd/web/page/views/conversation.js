// One conversation: its title, its messages, and the field for a new one.
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { listOf, nameOf } from "../lib/format.js";
import { t } from "../lib/texts.js";
import { useTopics } from "../lib/topics.js";
import { go } from "../state/place.js";
import { Avatar } from "./avatar.js";
import { Composer } from "./composer.js";
import { IconButton } from "./icons.js";
import { Timeline } from "./timeline.js";

function Typing({ app, id }) {
  useTopics(app.chat.topics, `typing:${id}`);
  const users = app.chat.typingIn(id).map((user) => nameOf(app.chat.users.get(user)));
  return html`<p class="typing-line" aria-live="polite">${users.length > 0 &&
    html`<span class="typing-dots" aria-hidden="true"><i /><i /><i /></span> ${t("isTyping", { count: users.length, names: listOf(users.slice(0, 3)) })}`}</p>`;
}

function Subtitle({ app, conversation }) {
  useTopics(app.chat.topics, "users");
  const { chat } = app;
  if (conversation.other) return html`${chat.online.has(conversation.other.id) ? t("online") : t("away")}`;
  const online = conversation.memberIds.filter((id) => chat.online.has(id) || id === chat.me?.id).length;
  return html`${conversation.topic ? html`<bdi>${conversation.topic}</bdi> · ` : ""}${t("membersOnline", { count: conversation.memberIds.length, online })}`;
}

export function Conversation({ app, id, target, thread }) {
  const { chat } = app;
  useTopics(chat.topics, `conversation:${id}`, "outbox");
  const [replyTo, setReplyTo] = useState(null);
  const [editing, setEditing] = useState(null);
  const [dropping, setDropping] = useState(false);
  const composer = useRef();
  const conversation = chat.conversations.get(id);

  useEffect(() => {
    if (chat.connection === "online" && !chat.members.has(id)) chat.fetchMembers(id).catch(() => {});
  }, [id, chat.connection]);
  if (!conversation) return null;
  const title = chat.titleOf(conversation);

  const actions = {
    reply: (message) => { setReplyTo(message); composer.current?.focus(); },
    edit: (message) => setEditing(message),
    editLast: () => {
      const own = chat.timelines.of(id).items.findLast((one) => one.sender.id === chat.me.id && one.type === "text");
      if (own) setEditing(own);
    },
    editDone: () => { setEditing(null); composer.current?.focus(); },
  };
  const drop = (event) => {
    event.preventDefault();
    setDropping(false);
    if (event.dataTransfer.files.length) composer.current?.attach([...event.dataTransfer.files]);
  };

  return html`<main class="conversation" aria-label=${title} onDragOver=${(event) => { event.preventDefault(); setDropping(true); }}
    onDragLeave=${(event) => { if (event.target === event.currentTarget) setDropping(false); }} onDrop=${drop} data-dropping=${dropping ? "" : null}>
    <header class="pane-header">
      <${IconButton} name="back" label=${t("backToList")} class="icon-button only-narrow" onClick=${() => go("")} />
      <${Avatar} files=${app.files} title=${title} seed=${conversation.other?.id ?? id} url=${conversation.avatarUrl ?? conversation.other?.avatarUrl} size="small" />
      <div class="titles"><h1><bdi>${title}</bdi></h1><p><${Subtitle} app=${app} conversation=${conversation} /></p></div>
      <${IconButton} name="pin" label=${t("pins")} onClick=${() => app.show("pins", { id })} />
      <${IconButton} name="search" label=${t("searchHere")} onClick=${() => app.show("search", { id })} />
      <${IconButton} name="people" label=${t("details")} onClick=${() => app.show("details", { id })} />
    </header>
    <${Timeline} app=${app} conversation=${conversation} timeline=${chat.timelines.of(id)} target=${target}
      actions=${actions} editing=${editing} waiting=${app.outbox.of(id).filter((one) => !one.threadId || one.threadId !== thread)} />
    <${Typing} app=${app} id=${id} />
    <${Composer} app=${app} id=${id} handle=${composer} replyTo=${replyTo} onReplyEnd=${() => setReplyTo(null)}
      onEditLast=${actions.editLast} label=${t("messageTo", { name: title })} />
    ${dropping && html`<div class="drop-hint" aria-hidden="true">${t("dropHere")}</div>`}
  </main>`;
}
