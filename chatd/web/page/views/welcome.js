// Sign in; or make an account with a link, the first of which is that of the administrator.
import { html, useLayoutEffect, useRef, useState } from "../lib/html.js";
import { LANGUAGES, language, t } from "../lib/texts.js";
import { readPlace } from "../state/place.js";
import { Rejected } from "../state/session.js";
import { applySettings } from "../state/settings.js";
import { Icon } from "./icons.js";

const MIN_PASSWORD_CHARS = 8;
const KNOWN = { AUTH_INVALID: "wrongPassword", RATE_LIMITED: "tooManyTries" };    // what the server says in English

function Field({ label, hint, error, ...input }) {
  const id = `field-${input.name}`;
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input id=${id} ...${input} aria-invalid=${error ? "true" : null} aria-describedby=${hint || error ? `${id}-hint` : null} />
    ${(error || hint) && html`<p id="${id}-hint" class=${error ? "error" : "hint"}>${error || hint}</p>`}
  </div>`;
}

export function Welcome({ session, notice, onEnter }) {
  const place = readPlace();
  const [registers, setRegisters] = useState(Boolean(place.invite));
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const [, draw] = useState(0);
  const form = useRef();

  useLayoutEffect(() => { form.current?.querySelector("input")?.focus(); }, [registers]);

  async function submit(event) {
    event.preventDefault();
    const { username, password, displayName } = Object.fromEntries(new FormData(form.current));
    setBusy(true);
    setProblem(null);
    try {
      if (registers) await session.register({ username: username.trim(), password, ...(displayName.trim() && { displayName: displayName.trim() }), ...(place.invite && { invite: place.invite }) });
      else await session.signIn(username.trim(), password);
      await onEnter();
    } catch (failure) {
      const known = KNOWN[failure.code] && t(KNOWN[failure.code]);
      setProblem({ field: failure instanceof Rejected ? failure.field : null,
        text: failure instanceof Rejected ? known ?? failure.message : t("noServer") });
      setBusy(false);
    }
  }

  const title = place.setup ? t("setupTitle") : registers ? t("registerTitle") : t("signInTitle");
  const at = (name) => (problem?.field === name ? problem.text : null);
  return html`<main class="welcome">
    <form class="card" ref=${form} onSubmit=${submit} aria-labelledby="welcome-title">
      <${Icon} name="logo" />
      <h1 id="welcome-title">${title}</h1>
      <p class="lead">${place.setup ? t("setupLead") : registers ? t("registerLead") : t("signInLead")}</p>
      ${notice && !problem && html`<p class="notice" role="status">${notice}</p>`}
      ${problem && !["username", "password", "displayName"].includes(problem.field) &&
        html`<p class="error box" role="alert">${problem.text}</p>`}
      <${Field} label=${registers ? t("username") : t("usernameOrEmail")} name="username" required autocomplete="username"
        autocapitalize="none" spellcheck=${false} error=${at("username")} hint=${registers ? t("usernameHint") : null} />
      ${registers && html`<${Field} label=${t("displayName")} name="displayName" autocomplete="name"
        error=${at("displayName")} hint=${t("displayNameHint")} />`}
      <${Field} label=${t("password")} name="password" type="password" required minlength=${registers ? MIN_PASSWORD_CHARS : null}
        autocomplete=${registers ? "new-password" : "current-password"} error=${at("password")}
        hint=${registers ? t("passwordHint", { count: MIN_PASSWORD_CHARS }) : null} />
      <button class="primary wide" disabled=${busy}>${registers ? t("createAccount") : t("signIn")}</button>
      ${!place.setup && html`<button type="button" class="link" onClick=${() => { setRegisters(!registers); setProblem(null); }}>
        ${registers ? t("haveAccount") : t("needAccount")}</button>`}
      <label class="language"><span class="sr-only">${t("language")}</span>
        <select value=${language()} onChange=${(event) => applySettings({ language: event.target.value }).then(() => draw((n) => n + 1))}>
          ${Object.entries(LANGUAGES).map(([code, name]) => html`<option value=${code} key=${code}>${name}</option>`)}
        </select></label>
    </form>
  </main>`;
}
