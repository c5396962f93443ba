// The safety of one's account: another password, and the devices that are signed in.
import { html, useEffect, useRef, useState } from "../../lib/html.js";
import { moment } from "../../lib/format.js";
import { t } from "../../lib/texts.js";

const MIN_PASSWORD_CHARS = 8;
const BROWSERS = [[/Edg\//, "Edge"], [/OPR\//, "Opera"], [/Firefox\//, "Firefox"], [/Chrom(e|ium)\//, "Chrome"], [/Safari\//, "Safari"]];
const SYSTEMS = [[/Android/, "Android"], [/iPhone|iPad/, "iOS"], [/Windows/, "Windows"], [/Mac OS/, "macOS"], [/Linux|X11/, "Linux"]];

const first = (rows, text) => rows.find(([pattern]) => pattern.test(text))?.[1];

// What people call the browser and the system of a user agent.
export function deviceName(agent) {
  if (!agent) return t("unknownDevice");
  const browser = first(BROWSERS, agent), system = first(SYSTEMS, agent);
  return browser && system ? `${browser}, ${system}` : agent.slice(0, 60);
}

function Password({ app }) {
  const form = useRef();
  async function change(event) {
    event.preventDefault();
    const { old, next } = Object.fromEntries(new FormData(form.current));
    if (await app.attempt(() => app.chat.call("password.change", { password: old, newPassword: next })) === undefined) return;
    form.current.reset();
    app.say(t("passwordChanged"));
  }
  return html`<form ref=${form} onSubmit=${change}><fieldset><legend>${t("changePassword")}</legend>
    <div class="field"><label for="old-password">${t("oldPassword")}</label><input id="old-password" name="old" type="password" required autocomplete="current-password" /></div>
    <div class="field"><label for="new-password">${t("newPassword")}</label><input id="new-password" name="next" type="password" required minlength=${MIN_PASSWORD_CHARS} autocomplete="new-password" /></div>
    <p class="row end"><button class="primary">${t("save")}</button></p></fieldset></form>`;
}

function Devices({ app }) {
  const [found, setFound] = useState(null);
  const load = async () => setFound(await app.attempt(() => app.chat.call("session.list")) ?? []);
  useEffect(() => { load(); }, []);
  const end = async (name, data) => { await app.attempt(() => app.chat.call(name, data)); await load(); };
  return html`<fieldset><legend>${t("devices")}</legend>
    ${!found ? html`<p class="hint" role="status">${t("loading")}</p>` : html`<ul>${found.map((one) => html`<li key=${one.id} class="list-row">
      <span><bdi>${deviceName(one.device)}</bdi><small>${one.isCurrent ? t("thisDevice") : t("lastUsed", { time: moment(one.lastUsedAt) })}</small></span>
      ${!one.isCurrent && html`<button onClick=${() => end("session.end", { sessionId: one.id })}>${t("signOut")}</button>`}</li>`)}</ul>`}
    ${found && found.length > 1 && html`<p class="row end"><button class="danger" onClick=${() => end("session.endOthers")}>${t("signOutOthers")}</button></p>`}
  </fieldset>`;
}

export default function Account({ app }) {
  return html`<div><${Password} app=${app} /><${Devices} app=${app} /></div>`;
}
