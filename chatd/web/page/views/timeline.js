// The messages of a conversation or a thread. A window of them is in the document: it follows as one scrolls, loads what
// is missing at both ends, and keeps the place of what one reads when something above it grows.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../lib/html.js";
import { day, dayOf, nameOf } from "../lib/format.js";
import { t } from "../lib/texts.js";
import { useTopics } from "../lib/topics.js";
import { go, hrefOf } from "../state/place.js";
import { Icon } from "./icons.js";
import { Message, Waiting } from "./message.js";

const WINDOW_ROWS = 90, STEP_ROWS = 25;
const EDGE_PX = 900, AT_END_PX = 60;
const LINE_PX = 60;    // above the line of the unread messages, the last that were read are in sight
const TOGETHER_MS = 5 * 60_000;
const MANY = 40;    // so many unread messages may not be on the newest page

// Of a long conversation that was never read, the newest is shown.
const isLongAndNew = ({ me }) => me.readTo === 0 && me.unread > MANY;

const continues = (one, before) => before && before.sender.id === one.sender.id && !one.replyTo && !before.forwarded &&
  dayOf(one.createdAt) === dayOf(before.createdAt) && new Date(one.createdAt) - new Date(before.createdAt) < TOGETHER_MS;

export function Timeline({ app, conversation, timeline, target, actions, editing, waiting, inThread = false }) {
  const { chat } = app, me = chat.me?.id;
  useTopics(chat.topics, `timeline:${timeline.key}`, "blocks", "connection");
  const box = useRef(), anchor = useRef(null), follows = useRef(true), place = useRef("start");
  const rowsShown = useRef({ end: null, firstId: null });    // `end`: behind the last row in the document; null: the newest
  const [, draw] = useState(0);
  const [atEnd, setAtEnd] = useState(true);
  const [line, setLine] = useState(() => (inThread || isLongAndNew(conversation) ? null : conversation.me.readTo));
  const [marked, setMarked] = useState(target);
  const { items } = timeline, { unread } = conversation.me;

  // Rows that came in above the window move it.
  if (rowsShown.current.end !== null && items.length && items[0].id < rowsShown.current.firstId)
    rowsShown.current.end += Math.max(0, items.findIndex((one) => one.id === rowsShown.current.firstId));
  rowsShown.current.firstId = items[0]?.id ?? null;
  const { end } = rowsShown.current;
  const last = end === null ? items.length : Math.min(end, items.length);
  const first = Math.max(0, last - WINDOW_ROWS);
  const shown = items.slice(first, last);
  const setEnd = (value) => {
    rowsShown.current.end = value !== null && value >= items.length ? null : value;
    draw((count) => count + 1);
  };

  // What is loaded first: the place of a link, or of the first unread message, or the newest.
  useEffect(() => {
    setMarked(target);
    if (target) {
      [place.current, follows.current] = [target, false];
      const index = items.findIndex((one) => one.id === target);
      if (index < 0) timeline.loadAround(target);
      else setEnd(index + WINDOW_ROWS / 2);
    } else if (!timeline.loaded || timeline.hasNewer) {
      if (!inThread && unread > MANY && conversation.me.readTo > 0) timeline.loadAround(conversation.me.readTo);
      else timeline.loadLatest();
    }
  }, [timeline, target]);
  useEffect(() => { if (chat.connection === "online" && timeline.failed) timeline.loadLatest(); }, [chat.connection]);
  const waitingCount = useRef(waiting.length);
  useEffect(() => {    // one sees what one sends
    if (waiting.length > waitingCount.current) toLatest();
    waitingCount.current = waiting.length;
  });

  const rowOf = (id) => box.current.querySelector(`[data-id="${id}"]`);

  // Before the document changes, the first row in sight is noted; after it, that row is put where it was.
  function note() {
    const top = box.current.getBoundingClientRect().top;
    for (const row of box.current.querySelectorAll("[data-id]")) {
      const rect = row.getBoundingClientRect();
      if (rect.bottom > top + 1) { anchor.current = { id: row.dataset.id, top: rect.top - top }; return; }
    }
    anchor.current = null;
  }

  function settle() {
    const node = box.current;
    if (!node || !timeline.loaded) return;
    if (place.current !== null) {
      const firstUnread = line !== null && items.find((one) => one.id > line && one.sender.id !== me);
      const row = place.current === "start" ? firstUnread && node.querySelector(".unread-line") : rowOf(place.current);
      if (place.current !== "start" && !row) return;
      if (row) {
        const free = place.current === "start" ? LINE_PX : (node.clientHeight - row.offsetHeight) / 2;
        node.scrollTop += row.getBoundingClientRect().top - node.getBoundingClientRect().top - free;
        follows.current = node.scrollHeight - node.scrollTop - node.clientHeight < AT_END_PX;
      } else node.scrollTop = node.scrollHeight;
      place.current = null;
    } else if (follows.current && end === null && !timeline.hasNewer) node.scrollTop = node.scrollHeight;
    else if (anchor.current) {
      const row = rowOf(anchor.current.id);
      if (row) node.scrollTop += row.getBoundingClientRect().top - node.getBoundingClientRect().top - anchor.current.top;
    }
    note();
  }
  useLayoutEffect(settle);
  useEffect(() => {    // a picture or a font that comes later moves what is below it
    const observer = new ResizeObserver(() => settle());
    observer.observe(box.current.firstElementChild);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, [timeline, line]);

  function scrolled() {
    const node = box.current, below = node.scrollHeight - node.scrollTop - node.clientHeight;
    note();
    follows.current = below < AT_END_PX && end === null && !timeline.hasNewer;
    if (follows.current !== atEnd) setAtEnd(follows.current);
    extend();
    markRead();
  }

  // Near an edge, more rows come into the document, and more messages from the server.
  function extend() {
    const node = box.current, below = node.scrollHeight - node.scrollTop - node.clientHeight;
    if (!timeline.loaded || place.current !== null) return;
    if (node.scrollTop < EDGE_PX) {
      if (first > 0) setEnd(Math.max(WINDOW_ROWS, last - STEP_ROWS));
      else timeline.older();
    } else if (below < EDGE_PX && last < items.length) setEnd(last + STEP_ROWS);
    else if (below < EDGE_PX && timeline.hasNewer) timeline.newer();
  }
  useEffect(extend);

  function markRead() {
    if (inThread || place.current !== null || end !== null || timeline.hasNewer) return;
    if (!follows.current || !document.hasFocus() || document.hidden || !timeline.last) return;
    if (timeline.last.id > conversation.me.readTo) chat.markRead(conversation.id, timeline.last.id);
  }
  useEffect(markRead);
  useEffect(() => {
    const back = () => markRead();
    const away = () => { if (!inThread && timeline.last?.id <= conversation.me.readTo) setLine(timeline.last.id); };
    addEventListener("focus", back);
    addEventListener("blur", away);
    return () => { removeEventListener("focus", back); removeEventListener("blur", away); };
  });

  function toLatest() {
    [place.current, follows.current] = [null, true];
    setEnd(null);
    setMarked(null);
    if (target) go(hrefOf(conversation.id), { replace: true });
    if (timeline.hasNewer) timeline.loadLatest();
    else requestAnimationFrame(() => { box.current.scrollTop = box.current.scrollHeight; });
  }

  function pressed(event) {
    const row = event.target.closest?.("[data-id]");
    if (event.key === "Escape" && !inThread) {
      chat.markRead(conversation.id, timeline.last?.id ?? 0);
      setLine(null);
      toLatest();
    } else if (row === event.target && (event.key === "ArrowUp" || event.key === "ArrowDown") && !event.altKey) {
      const rows = [...box.current.querySelectorAll("[data-id]")];
      rows[rows.indexOf(row) + (event.key === "ArrowUp" ? -1 : 1)]?.focus();
      event.preventDefault();
    }
  }

  let lineDrawn = false;
  const rows = shown.map((message, index) => {
    const before = items[first + index - 1];
    const isNewDay = !before || dayOf(before.createdAt) !== dayOf(message.createdAt);
    const isFirstUnread = line !== null && !lineDrawn && message.id > line && message.sender.id !== me;
    lineDrawn ||= isFirstUnread;
    return html`${isNewDay && html`<p class="day" key="day-${message.id}"><span>${day(message.createdAt)}</span></p>`}
      ${isFirstUnread && html`<p class="unread-line" key="line"><span>${t("newMessages")}</span></p>`}
      <${Message} key=${message.id} app=${app} conversation=${conversation} message=${message} actions=${actions} inThread=${inThread}
        continued=${!isNewDay && !isFirstUnread && continues(message, before)} isEdited=${editing?.id === message.id}
        isMarked=${marked === message.id} isBlocked=${chat.blocks.has(message.sender.id)} me=${me} />`;
  });

  // What another tab has sent may have arrived while its place in the outbox is not yet free.
  const acked = new Set(items.slice(-WINDOW_ROWS).map((one) => one.clientId));
  const newest = timeline.hasNewer || end !== null ? conversation.lastMessage : null;
  return html`<div class="timeline" ref=${box} onScroll=${scrolled} onKeyDown=${pressed} tabindex="0" role="group" aria-label=${t("messages")}>
    <div role="log" class="log" aria-label=${t("messages")} aria-busy=${!timeline.loaded || !atEnd ? "true" : "false"}>
      ${inThread && timeline.root && html`<${Message} key="root" app=${app} conversation=${conversation} message=${timeline.root} actions=${actions}
        inThread continued=${false} isEdited=${editing?.id === timeline.root.id} me=${me} />`}
      ${timeline.loaded && !timeline.hasOlder && first === 0 && html`<p class="beginning">${inThread ? t("answersCount", { count: items.length }) : conversation.other
        ? t("beginningWith", { name: nameOf(conversation.other) }) : t("beginning", { name: chat.titleOf(conversation) })}</p>`}
      ${!timeline.loaded && html`<p class="loading" role="status">${timeline.failed && chat.connection !== "online" ? t("offline") : t("loading")}</p>`}
      ${rows}
      ${!timeline.hasNewer && end === null && waiting.filter((item) => !acked.has(item.clientId)).map((item) => html`<${Waiting} key=${item.clientId} app=${app} item=${item} />`)}
    </div>
    ${!atEnd && html`<button class="to-latest" onClick=${toLatest}><${Icon} name="down" /> ${unread > 0 ? t("newCount", { count: unread }) : t("toLatest")}
      ${newest && html`<span class="sr-only">${nameOf(newest.sender)}</span>`}</button>`}
  </div>`;
}
