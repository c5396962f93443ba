// The page begins here.
import { html, render } from "./lib/html.js";
import { Session } from "./state/session.js";
import { applySettings } from "./state/settings.js";
import { Root } from "./views/root.js";

await applySettings();
render(html`<${Root} session=${new Session()} />`, document.getElementById("page"));
navigator.serviceWorker?.register("/sw.js").catch(() => {});    // not on plain HTTP from another machine
