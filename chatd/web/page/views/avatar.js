// The picture of a user or a group. A picture of another site is not loaded: that would tell it who reads here.
import { html, memo, useEffect, useState } from "../lib/html.js";
import { nameOf } from "../lib/format.js";

const HUES = 12;

const initials = (name) => {
  const words = name.trim().split(/\s+/);
  return [...(words[0] ?? "?")][0]?.toUpperCase() + (words.length > 1 ? [...words.at(-1)][0].toUpperCase() : "");
};

export function useBlob(files, path) {
  const [url, setUrl] = useState(null);
  useEffect(() => {
    let wanted = true;
    setUrl(null);
    if (path) files.blob(path).then((found) => wanted && setUrl(found), () => wanted && setUrl("failed"));
    return () => { wanted = false; };
  }, [path]);
  return url;
}

export const Avatar = memo(function Avatar({ files, user, title, seed, url, size = "medium", online = false }) {
  const name = title ?? nameOf(user), picture = url ?? user?.avatarUrl;
  const own = picture?.startsWith("/files/") ? picture : null;
  const shown = useBlob(files, own);
  const hasPicture = shown && shown !== "failed";
  return html`<span class="avatar ${size}" data-hue=${(seed ?? user?.id ?? 0) % HUES} data-initials=${hasPicture ? null : initials(name)} aria-hidden="true">
    ${hasPicture && html`<img src=${shown} alt="" />`}
    ${online && html`<span class="dot" />`}
  </span>`;
});
