// The page of a user who is signed in: the conversations, one of them, and a pane beside it. On a phone, one at a time.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../lib/html.js";
import { nameOf } from "../lib/format.js";
import { t } from "../lib/texts.js";
import { useTopics } from "../lib/topics.js";
import { go, hrefOf, readPlace } from "../state/place.js";
import { settings } from "../state/settings.js";
import { Conversation } from "./conversation.js";
import { Dialogs } from "./dialogs.js";
import { Sidebar } from "./sidebar.js";
import { Thread } from "./thread.js";

const TOAST_MS = 4000;

const isTextField = (element) => element?.matches?.("input, textarea, select, [contenteditable]");

// The next conversation with unread messages, below the one that is open, then from the top.
export function nextUnread(chat, from, step) {
  const all = chat.ordered, start = all.findIndex((one) => one.id === from);
  for (let index = 1; index <= all.length; index++) {
    const one = all[(start + step * index + all.length * 2) % all.length];
    if (one.id !== from && (one.me.unread && !chat.isMuted(one) || one.me.mentions)) return one;
  }
  return null;
}

export function Main({ app }) {
  const { chat } = app;
  const [place, setPlace] = useState(readPlace);
  const [dialog, setDialog] = useState(null);    // { name, ... }
  const [toast, setToast] = useState(null);
  const timer = useRef(), toasts = useRef();
  useTopics(chat.topics, "conversations", "connection");

  app.show = (name, values = {}) => setDialog({ name, ...values });
  app.say = (text) => {
    setToast(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setToast(null), TOAST_MS);
  };
  // Do what may be refused: the reason is shown.
  app.attempt = async (act) => {
    try { return await act(); } catch (problem) { app.say(problem.message?.replace(/^[A-Z_]+: /, "") ?? String(problem)); return undefined; }
  };

  useLayoutEffect(() => {    // above everything, also above a dialog
    if (toasts.current.matches(":popover-open")) toasts.current.hidePopover();
    if (toast) toasts.current.showPopover();
  }, [toast]);

  useEffect(() => {
    const moved = () => setPlace(readPlace());
    addEventListener("hashchange", moved);
    addEventListener("popstate", moved);
    return () => { removeEventListener("hashchange", moved); removeEventListener("popstate", moved); };
  }, []);

  useEffect(() => {
    const pressed = (event) => {
      if (document.querySelector("dialog[open]")) return;
      const command = event.ctrlKey || event.metaKey;
      if (command && event.key.toLowerCase() === "k") { event.preventDefault(); app.show("switch"); }
      else if (command && event.shiftKey && event.key.toLowerCase() === "f") { event.preventDefault(); app.show("search"); }
      else if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
        event.preventDefault();
        const next = nextUnread(chat, readPlace().conversation, event.key === "ArrowDown" ? 1 : -1);
        if (next) go(hrefOf(next.id));
        else app.say(t("allRead"));
      } else if (event.key === "?" && !isTextField(event.target)) app.show("keys");
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);

  useEffect(() => {    // the title of the window, and notifications of the system while it is not looked at
    const total = chat.unreadTotal;
    const conversation = chat.conversations.get(place.conversation);
    document.title = `${total ? `(${total}) ` : ""}${conversation ? `${chat.titleOf(conversation)} – ` : ""}chatd`;
    navigator.setAppBadge?.(total).catch(() => {});
  });
  useEffect(() => {
    chat.onnotification = (notification) => {
      if (!settings().notify || notification.isSilent || document.hasFocus() || Notification.permission !== "granted") return;
      const shown = new Notification(notification.title, { body: notification.content, tag: `chatd-${notification.relatedId}` });
      shown.onclick = () => {
        focus();
        const id = Number(notification.relatedId);
        if (chat.conversations.has(id)) go(hrefOf(id));
        shown.close();
      };
    };
    return () => { chat.onnotification = null; };
  }, []);

  const conversation = chat.conversations.get(place.conversation);
  const missing = place.conversation && !conversation && chat.synced;
  useEffect(() => { chat.open(conversation?.id ?? null); }, [conversation?.id, chat.connection]);

  return html`<div class="app" data-shows=${conversation || missing ? (place.thread ? "thread" : "conversation") : "list"}>
    <${Sidebar} app=${app} current=${conversation?.id ?? null} />
    ${conversation && html`<${Conversation} key=${conversation.id} app=${app} id=${conversation.id} target=${place.message}
      thread=${place.thread} />`}
    ${conversation && place.thread && html`<${Thread} key=${place.thread} app=${app} id=${conversation.id} root=${place.thread} />`}
    ${!conversation && html`<main class="empty">
      ${missing ? html`<p>${t("noConversation")}</p><a href="#" onClick=${(event) => { event.preventDefault(); go(""); }}>${t("backToList")}</a>`
        : html`<h1>${t("hello", { name: nameOf(chat.me ?? app.session.user) })}</h1><p>${chat.conversations.size ? t("chooseConversation") : t("noConversations")}</p>
          <p class="row"><button class="primary" onClick=${() => app.show("new")}>${t("newConversation")}</button>
          <button onClick=${() => app.show("find")}>${t("findGroups")}</button></p>`}
    </main>`}
    <${Dialogs} app=${app} dialog=${dialog} onClose=${(closed) => setDialog((now) => (now === closed ? null : now))} />
    <div class="toast" role="status" aria-live="polite" popover="manual" ref=${toasts}>${toast && html`<span>${toast}</span>`}</div>
  </div>`;
}
