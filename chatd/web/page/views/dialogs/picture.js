import { html } from "../../lib/html.js";
import { size } from "../../lib/format.js";
import { t } from "../../lib/texts.js";
import { save } from "../attachments.js";
import { useBlob } from "../avatar.js";

export default function Picture({ app, file }) {
  const url = useBlob(app.files, file.url);
  return html`<figure class="picture-view">${url && url !== "failed" ? html`<img src=${url} alt=${file.name} width=${file.width} height=${file.height} />`
    : html`<p class="hint" role="status">${url ? t("pictureFailed") : t("loading")}</p>`}
    <figcaption><bdi>${file.name}</bdi> <small>${file.width} × ${file.height} · ${size(file.size)}</small> <button onClick=${() => save(app, file)}>${t("saveFile", { name: "" })}</button></figcaption></figure>`;
}
