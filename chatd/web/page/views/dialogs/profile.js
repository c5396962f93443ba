// Oneself: name, status, when one is notified, how the page looks, and signing out.
import { html, useRef, useState } from "../../lib/html.js";
import { LANGUAGES, t } from "../../lib/texts.js";
import { useTopics } from "../../lib/topics.js";
import { applySettings, settings } from "../../state/settings.js";

const DENSITIES = ["comfortable", "compact"], THEMES = ["system", "light", "dark"];
const HOUR_MS = 3_600_000;

function Select({ label, value, options, onChange }) {
  return html`<label class="field"><span>${label}</span><select value=${value} onChange=${(event) => onChange(event.target.value)}>
    ${options.map(([name, text]) => html`<option key=${name} value=${name}>${text}</option>`)}</select></label>`;
}

export default function Profile({ app, close }) {
  const { chat, session } = app;
  useTopics(chat.topics, "me");
  const [now, setNow] = useState(settings), form = useRef();
  const quiet = chat.attention?.quietHours, disturbed = chat.attention?.doNotDisturbUntil;
  const isQuiet = disturbed && new Date(disturbed) > new Date();
  const set = async (changes) => { setNow(await applySettings(changes)); app.chat.topics.announce("conversations", "me"); };
  async function save(event) {
    event.preventDefault();
    const { displayName, status } = Object.fromEntries(new FormData(form.current));
    const me = await app.attempt(() => chat.call("me.update", { displayName: displayName.trim() || null, status: status.trim() || null }));
    if (!me) return;
    chat.me = me;
    chat.keepUser(me);
    chat.topics.announce("me", "users");
    app.say(t("saved"));
  }
  const attend = async (changes) => {
    const attention = await app.attempt(() => chat.call("attention.update", changes));
    if (attention) { chat.attention = attention; chat.topics.announce("me"); }
  };
  const setQuiet = (changes) => attend({ quietHours: changes && { from: "22:00", until: "07:00", ...quiet, timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone, ...changes } });
  async function notify(wanted) {
    if (wanted && await Notification.requestPermission() !== "granted") return app.say(t("notificationsBlocked"));
    return set({ notify: wanted });
  }
  if (!chat.me) return html`<p class="hint">${t("offline")}</p>`;
  return html`<div class="profile">
    <form ref=${form} onSubmit=${save}>
      <p class="hint">@${chat.me.username}${chat.me.isAdmin ? ` · ${t("administrator")}` : ""}</p>
      <div class="field"><label for="profile-name">${t("displayName")}</label><input id="profile-name" name="displayName" maxlength="100" defaultValue=${chat.me.displayName ?? ""} /></div>
      <div class="field"><label for="profile-status">${t("status")}</label><input id="profile-status" name="status" maxlength="100" defaultValue=${chat.me.status ?? ""} /></div>
      <p class="row end"><button class="primary">${t("save")}</button></p>
    </form>
    <fieldset><legend>${t("attention")}</legend>
      <label class="check"><input type="checkbox" checked=${isQuiet} onChange=${(event) => attend({ doNotDisturbUntil: event.target.checked ? new Date(Date.now() + 8 * HOUR_MS).toISOString() : null })} /> ${t("doNotDisturb")}</label>
      <label class="check"><input type="checkbox" checked=${Boolean(quiet)} onChange=${(event) => setQuiet(event.target.checked ? {} : null)} /> ${t("quietHours")}</label>
      ${quiet && html`<p class="row"><input type="time" aria-label=${t("from")} value=${quiet.from} onChange=${(event) => setQuiet({ from: event.target.value })} /> –
        <input type="time" aria-label=${t("until")} value=${quiet.until} onChange=${(event) => setQuiet({ until: event.target.value })} /></p>`}
      ${"Notification" in globalThis && html`<label class="check"><input type="checkbox" checked=${now.notify} onChange=${(event) => notify(event.target.checked)} /> ${t("systemNotifications")}</label>`}
    </fieldset>
    <fieldset><legend>${t("looks")}</legend>
      <${Select} label=${t("language")} value=${document.documentElement.lang} options=${Object.entries(LANGUAGES)} onChange=${(language) => set({ language })} />
      <${Select} label=${t("theme")} value=${now.theme} options=${THEMES.map((one) => [one, t(`theme_${one}`)])} onChange=${(theme) => set({ theme })} />
      <${Select} label=${t("density")} value=${now.density} options=${DENSITIES.map((one) => [one, t(`density_${one}`)])} onChange=${(density) => set({ density })} />
    </fieldset>
    <p class="row end">${chat.me.isAdmin && html`<button onClick=${() => app.show("invites")}>${t("dialog_invites")}</button>`}
      <button onClick=${() => app.show("account")}>${t("dialog_account")}</button>
      <button onClick=${() => app.show("keys")}>${t("dialog_keys")}</button>
      <button class="danger" onClick=${() => { close(); app.signOut(); }}>${t("signOut")}</button></p>
    ${app.outbox.items.length > 0 && html`<p class="error">${t("outboxWarning", { count: app.outbox.items.length })}</p>`}
  </div>`;
}
