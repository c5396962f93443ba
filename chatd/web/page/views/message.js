// One message, what can be done with it, and one that waits to be sent.
import { classes, html, memo, useLayoutEffect, useRef, useState } from "../lib/html.js";
import { clock, listOf, moment, nameOf } from "../lib/format.js";
import { Content } from "../lib/markdown.js";
import { OFTEN } from "../lib/emoji.js";
import { t } from "../lib/texts.js";
import { go, hrefOf } from "../state/place.js";
import { Attachment, attachmentsOf } from "./attachments.js";
import { Avatar } from "./avatar.js";
import { EmojiPicker } from "./emoji_picker.js";
import { Icon, IconButton } from "./icons.js";
import { Menu } from "./menu.js";

function Reactions({ app, message, me }) {
  if (!message.reactions.length) return null;
  const names = (ids) => listOf(ids.slice(0, 8).map((id) => nameOf(app.chat.users.get(id))));
  return html`<div class="reactions">${message.reactions.map(({ emoji, count, userIds }) => {
    const own = userIds.includes(me);
    return html`<button key=${emoji} class=${classes("reaction", own && "own")} aria-pressed=${own} title=${names(userIds)}
      aria-label=${t("reactionBy", { emoji, count, names: names(userIds) })} onClick=${() => react(app, message, emoji, own)}>
      <span aria-hidden="true">${emoji}</span> ${count}</button>`;
  })}</div>`;
}

const react = (app, message, emoji, remove) =>
  app.attempt(() => app.chat.call(remove ? "reaction.remove" : "reaction.add", { messageId: message.id, emoji }));

function Quote({ replyTo, conversationId }) {
  return html`<a class="quote" href=${hrefOf(conversationId, { message: replyTo.id })}>
    <${Icon} name="reply" /><bdi>${nameOf(replyTo.sender)}</bdi> <span dir="auto">${replyTo.content ?? html`<em>${t("deletedMessage")}</em>`}</span></a>`;
}

function Editor({ app, message, onDone }) {
  const area = useRef();
  useLayoutEffect(() => {
    area.current.focus();
    area.current.setSelectionRange(message.content.length, message.content.length);
  }, []);
  const save = async () => {
    const content = area.current.value.trim();
    if (content && content !== message.content)
      if (await app.attempt(() => app.chat.call("message.edit", { messageId: message.id, content })) === undefined) return;
    onDone();
  };
  return html`<form class="editor" onSubmit=${(event) => { event.preventDefault(); save(); }}>
    <textarea ref=${area} aria-label=${t("editMessage")} dir="auto" rows="2" defaultValue=${message.content} onKeyDown=${(event) => {
      event.stopPropagation();
      if (event.key === "Escape") onDone();
      else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); save(); }
    }} />
    <p class="row"><button class="primary">${t("save")}</button><button type="button" onClick=${onDone}>${t("cancel")}</button></p>
  </form>`;
}

function Actions({ app, conversation, message, actions, inThread, me, onReact }) {
  const [open, setOpen] = useState(false);
  const isOwn = message.sender.id === me, { chat } = app;
  const isModerator = ["owner", "admin"].includes(conversation.me.role) && conversation.type === "group";
  const link = `${location.origin}/${hrefOf(conversation.id, { message: message.id })}`;
  const act = (name, data = { messageId: message.id }) => app.attempt(() => chat.call(name, data));
  const rows = [
    actions.reply && ["reply", t("reply"), () => actions.reply(message)],
    !inThread && ["thread", t("openThread"), () => go(hrefOf(conversation.id, { thread: message.threadId ?? message.id }))],
    isOwn && message.content && ["edit", t("edit"), () => actions.edit(message)],
    ["pin", message.pinned ? t("unpin") : t("pin"), () => act(message.pinned ? "pin.remove" : "pin.add")],
    ["forward", t("forward"), () => app.show("forward", { message })],
    ["link", t("copyLink"), () => navigator.clipboard?.writeText(link).then(() => app.say(t("copied")))],
    message.content && ["copy", t("copyText"), () => navigator.clipboard?.writeText(message.content).then(() => app.say(t("copied")))],
    !inThread && ["unread", t("markUnread"), () => act("message.markUnread")],
    !isOwn && ["report", t("report"), () => app.show("report", { message })],
    (isOwn || isModerator) && ["trash", t("delete"), () => app.show("delete", { message })],
  ].filter(Boolean);
  return html`<div class="actions" data-open=${open ? "" : null}>
    ${OFTEN.slice(0, 3).map((emoji) => html`<button key=${emoji} class="icon-button" aria-label=${t("reactWith", { emoji })} onClick=${() => react(app, message, emoji, false)}>${emoji}</button>`)}
    <${IconButton} name="emoji" label=${t("react")} onClick=${onReact} />
    ${actions.reply && html`<${IconButton} name="reply" label=${t("reply")} onClick=${() => actions.reply(message)} />`}
    <${Menu} label=${t("more")} rows=${rows} onOpen=${setOpen} />
  </div>`;
}

export const Message = memo(function Message({ app, conversation, message, actions, continued, isEdited, isMarked, isBlocked, inThread, me }) {
  const [unfolded, setUnfolded] = useState(false);
  const [picks, setPicks] = useState(false), [touched, setTouched] = useState(false);    // its buttons come when they are near
  const { sender } = message, name = nameOf(sender);
  const { images, others, text } = attachmentsOf(message);
  const seen = conversation.other && sender.id === me && message.seenBy.length > 0;
  if (isBlocked && !unfolded)
    return html`<article class="message blocked" data-id=${message.id} tabindex="-1"><button class="link" onClick=${() => setUnfolded(true)}>${t("blockedMessage")}</button></article>`;
  return html`<article class=${classes("message", continued && "continued", isMarked && "marked", message.mentions.some((one) => one.userId === me || !one.userId) && "mentions-me")}
    data-id=${message.id} tabindex="-1" aria-label=${t("messageBy", { name, time: clock(message.createdAt) })}
    onPointerEnter=${() => setTouched(true)} onfocusin=${() => setTouched(true)}>
    ${continued ? html`<time class="side-time" datetime=${message.createdAt} title=${moment(message.createdAt)}>${clock(message.createdAt)}</time>`
      : html`<button class="plain" onClick=${() => app.show("user", { user: sender })} aria-label=${t("profileOf", { name })}><${Avatar} files=${app.files} user=${sender} /></button>`}
    <div class="message-body">
      ${!continued && html`<p class="message-head"><button class="plain name" onClick=${() => app.show("user", { user: sender })}><bdi>${name}</bdi></button>
        <time datetime=${message.createdAt} title=${moment(message.createdAt)}>${clock(message.createdAt)}</time>
        ${message.forwarded && html`<span class="tag"><${Icon} name="forward" /> ${t("forwarded")}</span>`}
        ${message.pinned && html`<span class="tag"><${Icon} name="pin" /> ${t("pinned")}</span>`}</p>`}
      ${message.replyTo && html`<${Quote} replyTo=${message.replyTo} conversationId=${message.conversationId} />`}
      ${message.threadId && !inThread && html`<a class="quote" href=${hrefOf(message.conversationId, { thread: message.threadId })}><${Icon} name="thread" /> ${t("inThread")}</a>`}
      ${isEdited ? html`<${Editor} app=${app} message=${message} onDone=${actions.editDone} />`
        : text && html`<${Content} text=${text} mentions=${message.mentions} me=${me} />`}
      ${message.editedAt && !isEdited && html`<span class="edited" title=${moment(message.editedAt)}>${t("edited")}</span>`}
      ${images.length > 0 && html`<div class="images">${images.map((one) => html`<${Attachment} key=${one.url} app=${app} attachment=${one} />`)}</div>`}
      ${others.map((one) => html`<${Attachment} key=${one.url} app=${app} attachment=${one} />`)}
      <${Reactions} app=${app} message=${message} me=${me} />
      ${message.thread && !inThread && html`<a class="thread-link" href=${hrefOf(message.conversationId, { thread: message.id })}>
        <${Icon} name="thread" /> ${t("answers", { count: message.thread.count })} <time>${clock(message.thread.lastAt)}</time></a>`}
      ${seen && html`<span class="seen" title=${t("seen")}><${Icon} name="check" /><span class="sr-only">${t("seen")}</span></span>`}
    </div>
    ${touched && !isEdited && html`<${Actions} app=${app} conversation=${conversation} message=${message} actions=${actions} inThread=${inThread} me=${me} onReact=${() => setPicks(true)} />`}
    ${picks && html`<${EmojiPicker} onPick=${(emoji) => { setPicks(false); if (emoji) react(app, message, emoji, false); }} />`}
  </article>`;
});

export const Waiting = memo(function Waiting({ app, item }) {
  const { outbox } = app;
  return html`<article class=${classes("message waiting", item.refused && "refused")}>
    <${Avatar} files=${app.files} user=${app.chat.me ?? app.session.user} />
    <div class="message-body">
      <p class="message-head"><bdi class="name">${nameOf(app.chat.me ?? app.session.user)}</bdi>
        <span class="state" role="status">${item.refused ? t("notSent") : item.files.length ? t("uploading", { percent: Math.round((item.progress ?? 0) * 100) }) : t("waiting")}</span></p>
      ${item.content && html`<${Content} text=${item.content} />`}
      ${item.files.length > 0 && html`<p class="hint">${listOf(item.files.map((one) => one.name))}</p>
        ${!item.refused && html`<progress max="1" value=${item.progress ?? 0} aria-label=${t("uploading", { percent: Math.round((item.progress ?? 0) * 100) })} />`}`}
      ${item.refused && html`<p class="error">${item.refused}</p>`}
      <p class="row">${item.refused && html`<button onClick=${() => outbox.retry(item.clientId)}><${Icon} name="retry" /> ${t("retry")}</button>`}
        ${(item.refused || item.files.length > 0 || app.chat.connection !== "online") &&
          html`<button class="link" onClick=${() => outbox.discard(item.clientId)}>${t("discard")}</button>`}</p>
    </div>
  </article>`;
});
