// A thread beside its conversation: the message it began with, all answers, and a field for another.
import { html, useRef, useState } from "../lib/html.js";
import { t } from "../lib/texts.js";
import { useTopics } from "../lib/topics.js";
import { go, hrefOf } from "../state/place.js";
import { Composer } from "./composer.js";
import { IconButton } from "./icons.js";
import { Timeline } from "./timeline.js";

const LEVELS = ["default", "all", "mentions"];

export function Thread({ app, id, root }) {
  const { chat } = app;
  useTopics(chat.topics, `conversation:${id}`, "threads", "outbox");
  const [editing, setEditing] = useState(null);
  const composer = useRef();
  const conversation = chat.conversations.get(id), timeline = chat.timelines.ofThread(root);
  const close = () => go(hrefOf(id));
  const level = chat.threads.get(root) ?? "default";
  const actions = {
    edit: setEditing,
    editDone: () => { setEditing(null); composer.current?.focus(); },
    editLast: () => {
      const own = timeline.items.findLast((one) => one.sender.id === chat.me.id);
      if (own) setEditing(own);
    },
  };
  return html`<aside class="thread" aria-label=${t("thread")} onKeyDown=${(event) => { if (event.key === "Escape" && !editing) { event.stopPropagation(); close(); } }}>
    <header class="pane-header">
      <div class="titles"><h2>${t("thread")}</h2></div>
      <label><span class="sr-only">${t("threadNotifications")}</span>
        <select value=${level} onChange=${(event) => app.attempt(() => chat.call("thread.update", { messageId: root, notifications: event.target.value }))}>
          ${LEVELS.map((one) => html`<option key=${one} value=${one}>${t(`thread_${one}`)}</option>`)}</select></label>
      <${IconButton} name="close" label=${t("close")} onClick=${close} />
    </header>
    <${Timeline} app=${app} conversation=${conversation} timeline=${timeline} target=${null} actions=${actions} editing=${editing}
      waiting=${app.outbox.of(id, root)} inThread />
    <${Composer} app=${app} id=${id} threadId=${root} handle=${composer} onEditLast=${actions.editLast} label=${t("replyInThread")} />
  </aside>`;
}
