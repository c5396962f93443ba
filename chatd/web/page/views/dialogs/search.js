import { html, useEffect, useRef, useState } from "../../lib/html.js";
import { nameOf, short } from "../../lib/format.js";
import { t } from "../../lib/texts.js";
import { go, hrefOf } from "../../state/place.js";

const PAGE_ROWS = 20, DELAY_MS = 250;

function Snippet({ hit }) {
  const parts = [];
  let end = 0;
  const text = [...hit.snippet];    // the marks count characters, not UTF-16
  for (const mark of hit.marks) {
    parts.push(text.slice(end, mark.start).join(""), html`<mark>${text.slice(mark.start, mark.end).join("")}</mark>`);
    end = mark.end;
  }
  parts.push(text.slice(end).join(""));
  return html`<p dir="auto">${parts}</p>`;
}

export default function Search({ app, close, id = null }) {
  const { chat } = app;
  const [query, setQuery] = useState(""), [found, setFound] = useState(null), [next, setNext] = useState(null), [problem, setProblem] = useState("");
  const turn = useRef(0);
  async function run(before = null) {
    const mine = ++turn.current, text = query.trim();
    if (!text) { setFound(null); return; }
    const inside = id ? ` in:${id}` : "";
    try {
      const page = await chat.call("search", { q: text + inside, limit: PAGE_ROWS, ...before });
      if (mine !== turn.current) return;
      setFound(before ? [...found, ...page.items] : page.items);
      setNext(page.next);
      setProblem("");
    } catch (failure) { if (mine === turn.current) { setProblem(failure.message.replace(/^[A-Z_]+: /, "")); setFound(null); } }
  }
  useEffect(() => { const timer = setTimeout(run, DELAY_MS); return () => clearTimeout(timer); }, [query]);
  const open = (message) => { close(); go(hrefOf(message.conversationId, { message: message.id })); };
  return html`<div class="search">
    <input type="search" aria-label=${t("search")} placeholder=${id ? t("searchHere") : t("search")} value=${query} onInput=${(event) => setQuery(event.target.value)} autofocus />
    <p class="hint">${t("searchHint")} <code>from:ann</code> <code>before:2026-01-31</code> <code>has:file</code> <code>is:unread</code> <code>"…"</code> <code>-…</code></p>
    ${problem && html`<p class="error" role="alert">${problem}</p>`}
    <div role="status" class="sr-only">${found && t("found", { count: found.length })}</div>
    ${found && !found.length && html`<p class="hint">${t("nothingFound")}</p>`}
    <ul class="hits">${(found ?? []).map((hit) => html`<li key=${hit.id}><button onClick=${() => open(hit.message)}>
      <span class="hit-head"><bdi>${nameOf(hit.message.sender)}</bdi> · <bdi>${chat.conversations.has(hit.message.conversationId) ? chat.titleOf(chat.conversations.get(hit.message.conversationId)) : ""}</bdi>
        <time datetime=${hit.message.createdAt}>${short(hit.message.createdAt)}</time></span><${Snippet} hit=${hit} /></button></li>`)}</ul>
    ${next && html`<p class="row end"><button onClick=${() => run(next)}>${t("more")}</button></p>`}
  </div>`;
}
