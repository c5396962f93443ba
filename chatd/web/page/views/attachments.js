// Pictures and files of a message. A picture has its place before it is loaded, so nothing jumps.
import { html, memo } from "../lib/html.js";
import { size } from "../lib/format.js";
import { t } from "../lib/texts.js";
import { useBlob } from "./avatar.js";
import { Icon } from "./icons.js";

const MAX_WIDTH = 420, MAX_HEIGHT = 320;
const OWN_FILE = /^\/files\/(\d+)$/;

// The attachments of a message; a message of the other dialects may have its only file as its text.
export function attachmentsOf(message) {
  let { attachments, content } = message;
  if (message.type !== "text" && !attachments.length && content)
    [attachments, content] = [[{ url: content, type: message.type === "image" ? "IMAGE" : null, file: null }], ""];
  else if (message.type !== "text" && attachments.some((one) => one.url === content)) content = "";
  const isImage = ({ file }) => file && file.width && file.thumbnailUrl;
  return { images: attachments.filter(isImage), others: attachments.filter((one) => !isImage(one)), text: content ?? "" };
}

export function fit({ width, height }) {
  const scale = Math.min(1, MAX_WIDTH / width, MAX_HEIGHT / height);
  return { width: Math.max(40, Math.round(width * scale)), height: Math.max(40, Math.round(height * scale)) };
}

const Picture = memo(function Picture({ app, file }) {
  const url = useBlob(app.files, file.thumbnailUrl), box = fit(file);
  return html`<button class="picture plain" onClick=${() => app.show("picture", { file })} aria-label=${t("showPicture", { name: file.name })}
    style=${{ width: `${box.width}px`, aspectRatio: `${file.width} / ${file.height}` }}>
    ${url === "failed" ? html`<span class="hint">${t("pictureFailed")}</span>`
      : url && html`<img src=${url} width=${box.width} height=${box.height} alt=${file.name} />`}
  </button>`;
});

export async function save(app, file) {
  const link = await app.attempt(() => app.files.link(file.id));
  if (!link) return;
  const anchor = Object.assign(document.createElement("a"), { href: link.url, download: file.name, rel: "noopener" });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}

export const Attachment = memo(function Attachment({ app, attachment }) {
  const { file, url } = attachment;
  if (file?.thumbnailUrl) return html`<${Picture} app=${app} file=${file} />`;
  if (file) return html`<button class="file-card" onClick=${() => save(app, file)} title=${t("saveFile", { name: file.name })}>
    <${Icon} name=${file.isLocked ? "lock" : "file"} /><span><bdi>${file.name}</bdi><small>${size(file.size)}${file.isLocked ? ` · ${t("locked")}` : ""}${file.price ? ` · ${file.price}` : ""}</small></span></button>`;
  if (OWN_FILE.test(url)) return html`<p class="hint">${t("fileGone")}</p>`;
  return /^https?:/.test(url) ? html`<p><a href=${url} target="_blank" rel="noopener noreferrer nofollow">${url}</a></p>` : html`<p dir="auto">${url}</p>`;
});
