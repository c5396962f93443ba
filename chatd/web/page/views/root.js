// Who is here: a user, or a visitor who signs in, or one with a link of a setup or an invite.
import { html, useEffect, useState } from "../lib/html.js";
import { t } from "../lib/texts.js";
import { Chat } from "../state/chat.js";
import { Drafts } from "../state/drafts.js";
import { Files } from "../state/files.js";
import { Outbox } from "../state/outbox.js";
import { go, readPlace } from "../state/place.js";
import { Snapshot } from "../state/snapshot.js";
import { Store } from "../state/store.js";
import { Main } from "./main.js";
import { Welcome } from "./welcome.js";

const LAST_USER = "chatd-user";

const lastUser = () => { try { return JSON.parse(localStorage.getItem(LAST_USER)); } catch { return null; } };

// Everything that belongs to one user who is signed in.
async function openApp(session) {
  const store = await Store.open(session.user.id);
  const chat = new Chat(session);
  const outbox = new Outbox(chat, store, session.user.id);
  const snapshot = new Snapshot(chat, store);
  await Promise.all([Snapshot.restore(chat, store), outbox.open()]);
  return { session, chat, outbox, store, drafts: new Drafts(chat), files: new Files(session),
    close() { for (const part of [snapshot, outbox, chat, store]) part.close(); } };
}

export function Root({ session }) {
  const [app, setApp] = useState(null);
  const [notice, setNotice] = useState("");
  const [screen, setScreen] = useState("starting");

  async function enter() {
    localStorage.setItem(LAST_USER, JSON.stringify(session.user));
    const made = await openApp(session);
    const leave = (text) => {
      made.close();
      localStorage.removeItem(LAST_USER);
      session.forget();
      setNotice(text);
      setApp(null);
      setScreen("welcome");
    };
    made.chat.onclosed = () => leave(t("signedOutElsewhere"));
    made.signOut = async () => {
      const { id } = session.user;
      made.chat.onclosed = null;
      await session.signOut();
      leave("");
      Store.remove(id);
    };
    setNotice("");
    setApp(made);
    if (readPlace().invite) go("", { replace: true });
  }

  function start() {
    if (readPlace().invite) return setScreen("welcome");
    const last = lastUser();
    if (last) {    // shown at once; the first connection finds out whether the session still holds
      session.user = last;
      return enter();
    }
    return setScreen("welcome");
  }

  useEffect(() => { start(); }, []);

  if (app) return html`<${Main} app=${app} key=${app.session.user.id} />`;
  if (screen === "starting") return html`<div class="starting" role="status"><span class="sr-only">${t("loading")}</span></div>`;
  return html`<${Welcome} session=${session} notice=${notice} onEnter=${enter} />`;
}
