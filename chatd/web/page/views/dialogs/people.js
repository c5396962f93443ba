// A list of users to choose from, found by their names as one types.
import { html, useEffect, useState } from "../../lib/html.js";
import { nameOf } from "../../lib/format.js";
import { t } from "../../lib/texts.js";
import { Avatar } from "../avatar.js";

const DELAY_MS = 150;

export function useUsers(chat, query) {
  const [found, setFound] = useState(null);
  useEffect(() => {
    let wanted = true;
    const timer = setTimeout(async () => {
      try {
        const { items } = await chat.call("user.list", { limit: 50, ...(query.trim() && { query: query.trim() }) });
        items.forEach((one) => chat.keepUser(one));
        if (wanted) setFound(items.filter((one) => one.id !== chat.me.id));
      } catch { if (wanted) setFound([]); }
    }, query ? DELAY_MS : 0);
    return () => { wanted = false; clearTimeout(timer); };
  }, [query]);
  return found;
}

export function People({ app, chosen, onToggle, exclude = [] }) {
  const [query, setQuery] = useState("");
  const found = useUsers(app.chat, query)?.filter((one) => !exclude.includes(one.id));
  return html`<div class="people">
    <input type="search" aria-label=${t("findPeople")} placeholder=${t("findPeople")} value=${query} onInput=${(event) => setQuery(event.target.value)} autofocus />
    ${!found ? html`<p class="hint" role="status">${t("loading")}</p>` : !found.length ? html`<p class="hint" role="status">${t("nobodyFound")}</p>`
      : html`<ul>${found.map((user) => html`<li key=${user.id}><label><input type="checkbox" checked=${chosen.some((one) => one.id === user.id)} onChange=${() => onToggle(user)} />
        <${Avatar} files=${app.files} user=${user} size="small" /><bdi>${nameOf(user)}</bdi> <small>@${user.username}</small></label></li>`)}</ul>`}
  </div>`;
}
