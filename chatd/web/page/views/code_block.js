import { html, useState } from "../lib/html.js";
import { t } from "../lib/texts.js";

export function CodeBlock({ language, text }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return html`<div class="code-block" dir="ltr">
    <button class="quiet" onClick=${copy}>${copied ? t("copied") : t("copy")}</button>
    <pre tabindex="0" aria-label=${language || t("code")}><code>${text}</code></pre>
  </div>`;
}
