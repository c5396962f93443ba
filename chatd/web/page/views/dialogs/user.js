import { html, useEffect, useState } from "../../lib/html.js";
import { nameOf } from "../../lib/format.js";
import { t } from "../../lib/texts.js";
import { useTopics } from "../../lib/topics.js";
import { go, hrefOf } from "../../state/place.js";
import { Avatar } from "../avatar.js";

export default function UserProfile({ app, user, close }) {
  const { chat } = app;
  useTopics(chat.topics, "users", "blocks");
  const [found, setFound] = useState(user), isBlocked = chat.blocks.has(user.id);
  useEffect(() => { chat.call("user.get", { userId: user.id }).then(setFound, () => {}); }, [user.id]);
  async function write() {
    const made = await app.attempt(() => chat.call("conversation.create", { type: "private", memberIds: [user.id] }));
    if (!made) return;
    await chat.fetchConversation(made.id);
    close();
    go(hrefOf(made.id));
  }
  async function block() {
    if (await app.attempt(() => chat.call(isBlocked ? "block.remove" : "block.add", { userId: user.id })) === undefined) return;
    chat.blocks[isBlocked ? "delete" : "add"](user.id);
    chat.topics.announce("blocks");
  }
  return html`<div class="user-card"><${Avatar} files=${app.files} user=${found} size="large" online=${chat.online.has(user.id)} />
    <h3><bdi>${nameOf(found)}</bdi></h3><p class="hint">@${found.username}${found.status ? html` · <bdi>${found.status}</bdi>` : ""}</p>
    ${user.id !== chat.me?.id && html`<p class="row center"><button class="primary" onClick=${write} disabled=${isBlocked}>${t("startChat")}</button>
      <button onClick=${block}>${isBlocked ? t("unblock") : t("block")}</button></p>`}</div>`;
}
