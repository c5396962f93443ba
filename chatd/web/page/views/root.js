// Who is here: a user, or a visitor who signs in, or one with the link of a setup or an invite.
//
// The sign-in needs a few files only. The rest comes while one types, and is there when it is needed.
import { html, useEffect, useState } from "../lib/html.js";
import { t } from "../lib/texts.js";
import { go, readPlace } from "../state/place.js";
import { Welcome } from "./welcome.js";

const LAST_USER = "chatd-user";
const IDLE_MS = 300;

const lastUser = () => { try { return JSON.parse(localStorage.getItem(LAST_USER)); } catch { return null; } };
const loadChat = async () => {
  const [{ openApp }, { Main }] = await Promise.all([import("../state/app.js"), import("./main.js")]);
  return { openApp, Main };
};

export function Root({ session }) {
  const [shown, setShown] = useState(null);    // { app, Main }
  const [notice, setNotice] = useState("");
  const [isStarting, setStarting] = useState(true);

  async function enter() {
    localStorage.setItem(LAST_USER, JSON.stringify(session.user));
    const { openApp, Main } = await loadChat(), app = await openApp(session);
    const leave = (text) => {
      app.close();
      localStorage.removeItem(LAST_USER);
      session.forget();
      setNotice(text);
      setShown(null);
      setStarting(false);
    };
    app.chat.onclosed = () => leave(t("signedOutElsewhere"));
    app.signOut = async () => {
      app.chat.onclosed = null;
      await session.signOut();
      leave("");
      app.forget();
    };
    setNotice("");
    setShown({ app, Main });
    if (readPlace().invite) go("", { replace: true });
  }

  useEffect(() => {
    const last = lastUser();
    if (last && !readPlace().invite) {    // shown at once; the first connection finds out whether the session still holds
      session.user = last;
      enter();
    } else {
      setStarting(false);
      setTimeout(() => loadChat().catch(() => {}), IDLE_MS);
    }
  }, []);

  if (shown) return html`<${shown.Main} app=${shown.app} key=${session.user?.id} />`;
  if (isStarting) return html`<div class="starting" role="status"><span class="sr-only">${t("loading")}</span></div>`;
  return html`<${Welcome} session=${session} notice=${notice} onEnter=${enter} />`;
}
