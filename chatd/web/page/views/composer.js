// The field for a new message: drafts, completion of @names and :emoji:, files by button, paste and drop.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../lib/html.js";
import { nameOf, size } from "../lib/format.js";
import { named, replaceNames } from "../lib/emoji.js";
import { t } from "../lib/texts.js";
import { useTopics } from "../lib/topics.js";
import { EmojiPicker } from "./emoji_picker.js";
import { Icon, IconButton } from "./icons.js";

const MAX_FILES = 10, MAX_SUGGESTED = 6, MAX_CHARS = 10_000;
const COMPLETED = /(?:^|[\s(])([@:])([\p{L}\p{N}._+-]*)$/u;

function suggestionsFor(app, id, before) {
  const [, kind, word] = COMPLETED.exec(before) ?? [];
  if (kind === ":" && word.length > 1) return { word: `:${word}`, rows: named(word.toLowerCase(), MAX_SUGGESTED).map(({ name, emoji }) => ({ text: emoji, shown: `${emoji} :${name}:` })) };
  if (kind !== "@") return null;
  const { chat } = app, conversation = chat.conversations.get(id), begin = word.toLowerCase();
  const users = conversation.memberIds.filter((one) => one !== chat.me?.id).map((one) => chat.users.get(one)).filter(Boolean)
    .filter((one) => one.username.toLowerCase().startsWith(begin) || one.displayName?.toLowerCase().startsWith(begin));
  const rows = users.slice(0, MAX_SUGGESTED).map((one) => ({ text: `@${one.username}`, shown: `${nameOf(one)} @${one.username}` }));
  if ("all".startsWith(begin) && ["owner", "admin"].includes(conversation.me.role) && conversation.type === "group") rows.push({ text: "@all", shown: `@all – ${t("everybody")}` });
  return { word: `@${word}`, rows };
}

export function Composer({ app, id, threadId = null, handle, replyTo = null, onReplyEnd = () => {}, onEditLast, label }) {
  const { chat, drafts, outbox } = app;
  const [text, setText] = useState(() => drafts.get(id, threadId));
  const [files, setFiles] = useState([]);
  const [suggested, setSuggested] = useState(null);    // { word, rows, chosen }
  const [picks, setPicks] = useState(false);
  const area = useRef(), input = useRef();
  const listId = `suggestions-${threadId ?? id}`;
  useTopics(chat.topics, "connection");

  handle.current = {
    focus: () => area.current?.focus(),
    attach: (added) => setFiles((now) => [...now, ...added].slice(0, MAX_FILES)),
  };
  useLayoutEffect(() => { if (matchMedia("(hover: hover)").matches) area.current.focus({ preventScroll: true }); }, []);
  useLayoutEffect(() => { if (replyTo) area.current.focus(); }, [replyTo]);
  useEffect(() => chat.topics.on(`draft:${id}`, () => {    // another device has changed the draft
    if (threadId || drafts.isPending(id) || document.activeElement === area.current) return;
    const draft = chat.conversations.get(id)?.me.draft ?? "";
    drafts.set(id, draft);
    setText(draft);
  }), [id]);
  useLayoutEffect(() => {
    area.current.style.height = "auto";
    area.current.style.height = `${Math.min(area.current.scrollHeight, innerHeight * 0.4)}px`;
  }, [text]);

  function change(value, caret = value.length) {
    setText(value);
    drafts.set(id, value, threadId);
    const found = suggestionsFor(app, id, value.slice(0, caret));
    setSuggested(found?.rows.length ? { ...found, chosen: 0 } : null);
    chat.setTyping(id, value !== "");
  }

  function complete(row) {
    const caret = area.current.selectionStart, before = text.slice(0, caret - suggested.word.length) + row.text + " ";
    change(before + text.slice(caret), 0);
    setSuggested(null);
    requestAnimationFrame(() => { area.current.focus(); area.current.setSelectionRange(before.length, before.length); });
  }

  function insert(emoji) {
    setPicks(false);
    if (!emoji) return area.current.focus();
    const { selectionStart: start, selectionEnd: end } = area.current;
    change(text.slice(0, start) + emoji + text.slice(end), 0);
    return requestAnimationFrame(() => { area.current.focus(); area.current.setSelectionRange(start + emoji.length, start + emoji.length); });
  }

  async function send() {
    const content = replaceNames(text.trim());
    if (!content && !files.length) return;
    if (content.length > MAX_CHARS) return app.say(t("tooLong", { count: content.length - MAX_CHARS }));
    setText("");
    setFiles([]);
    setSuggested(null);
    drafts.set(id, "", threadId);
    onReplyEnd();
    await outbox.add({ conversationId: id, content, threadId, replyTo: replyTo?.id ?? null, files: files.map((file) => ({ name: file.name, blob: file })) });
    chat.setTyping(id, false);
  }

  function pressed(event) {
    if (event.isComposing) return;
    if (suggested) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], count = suggested.rows.length;
      if (step) { event.preventDefault(); return setSuggested({ ...suggested, chosen: (suggested.chosen + step + count) % count }); }
      if (event.key === "Enter" || event.key === "Tab") { event.preventDefault(); return complete(suggested.rows[suggested.chosen]); }
      if (event.key === "Escape") { event.stopPropagation(); return setSuggested(null); }
    }
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); return send(); }
    if (event.key === "ArrowUp" && text === "") { event.preventDefault(); return onEditLast(); }
    if (event.key === "Escape" && replyTo) { event.stopPropagation(); return onReplyEnd(); }
    if (event.key === "Escape" && !threadId) chat.markRead(id, chat.timelines.of(id).last?.id ?? 0);
    return undefined;
  }

  function pasted(event) {
    const pasted = [...event.clipboardData.files];
    if (!pasted.length) return;
    event.preventDefault();
    handle.current.attach(pasted);
  }

  return html`<form class="composer" onSubmit=${(event) => { event.preventDefault(); send(); }}>
    ${replyTo && html`<p class="reply-to"><${Icon} name="reply" /><span>${t("replyTo", { name: nameOf(replyTo.sender) })}: <bdi>${replyTo.content}</bdi></span>
      <${IconButton} name="close" label=${t("cancel")} onClick=${onReplyEnd} /></p>`}
    ${files.length > 0 && html`<ul class="chosen-files">${files.map((file, index) => html`<li key=${index}><${Icon} name="file" /><bdi>${file.name}</bdi> <small>${size(file.size)}</small>
      <${IconButton} name="close" label=${t("removeFile", { name: file.name })} onClick=${() => setFiles(files.filter((_, at) => at !== index))} /></li>`)}</ul>`}
    ${suggested && html`<ul class="suggestions" role="listbox" id=${listId} aria-label=${t("suggestions")}>${suggested.rows.map((row, index) => html`<li key=${row.shown} role="option"
      id="${listId}-${index}" aria-selected=${index === suggested.chosen} onPointerDown=${(event) => { event.preventDefault(); complete(row); }}>${row.shown}</li>`)}</ul>`}
    <div class="field-row">
      <input type="file" multiple hidden ref=${input} onChange=${(event) => { handle.current.attach([...event.target.files]); event.target.value = ""; }} />
      <${IconButton} name="attach" label=${t("attach")} onClick=${() => input.current.click()} />
      <textarea ref=${area} rows="1" dir="auto" value=${text} placeholder=${label} aria-label=${label} aria-controls=${suggested ? listId : null}
        aria-activedescendant=${suggested ? `${listId}-${suggested.chosen}` : null} aria-autocomplete="list" enterkeyhint="send"
        onInput=${(event) => change(event.target.value, event.target.selectionStart)} onKeyDown=${pressed} onPaste=${pasted} onBlur=${() => setSuggested(null)} />
      <span class="picker-place"><${IconButton} name="emoji" label=${t("emoji")} aria-expanded=${picks} onClick=${() => setPicks(!picks)} />
        ${picks && html`<${EmojiPicker} onPick=${insert} />`}</span>
      <button class="icon-button send" aria-label=${t("send")} title=${t("send")} disabled=${!text.trim() && !files.length}><${Icon} name="send" /></button>
    </div>
  </form>`;
}
