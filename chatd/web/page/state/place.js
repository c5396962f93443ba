// Where the user is: the part of the address behind #, so that reload, back and links work without the server.
//
//   #/c/12   #/c/12/m/101   #/c/12/t/101   #setup=TOKEN   #invite=TOKEN

const PATTERN = /^#\/c\/(\d{1,15})(?:\/([mt])\/(\d{1,15}))?$/;
const TOKEN = /^#(setup|invite)=([\w.~-]+)$/;

export function readPlace(hash = location.hash) {
  const token = TOKEN.exec(hash);
  if (token) return { invite: token[2], setup: token[1] === "setup" };
  const [, conversation, kind, id] = PATTERN.exec(hash) ?? [];
  if (!conversation) return {};
  return { conversation: Number(conversation), message: kind === "m" ? Number(id) : null,
    thread: kind === "t" ? Number(id) : null };
}

export const hrefOf = (conversation, { message = null, thread = null } = {}) =>
  `#/c/${conversation}` + (message ? `/m/${message}` : thread ? `/t/${thread}` : "");

export function go(href, { replace = false } = {}) {
  if (href === location.hash) return;
  if (replace) history.replaceState(null, "", href || location.pathname);
  else history.pushState(null, "", href || location.pathname);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
