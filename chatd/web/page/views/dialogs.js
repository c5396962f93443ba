// The dialogs, by their names. Each is loaded when it is first shown. The browser keeps the focus inside, and gives it
// back to where it was.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../lib/html.js";
import { t } from "../lib/texts.js";
import { IconButton } from "./icons.js";

const DIALOGS = {
  new: () => import("./dialogs/new_conversation.js"),
  find: () => import("./dialogs/find_groups.js"),
  switch: () => import("./dialogs/switch.js"),
  search: () => import("./dialogs/search.js"),
  notifications: () => import("./dialogs/notifications.js"),
  profile: () => import("./dialogs/profile.js"),
  details: () => import("./dialogs/details.js"),
  pins: () => import("./dialogs/pins.js"),
  user: () => import("./dialogs/user.js"),
  forward: () => import("./dialogs/forward.js"),
  report: () => import("./dialogs/report.js"),
  delete: () => import("./dialogs/delete.js"),
  picture: () => import("./dialogs/picture.js"),
  account: () => import("./dialogs/account.js"),
  invites: () => import("./dialogs/invites.js"),
  keys: () => import("./dialogs/keys.js"),
};

export function Dialogs({ app, dialog, onClose }) {
  const [view, setView] = useState(null), node = useRef();
  useEffect(() => {
    let wanted = true;
    setView(null);
    if (dialog) DIALOGS[dialog.name]().then((module) => wanted && setView({ of: dialog, View: module.default }), () => { app.say(t("noServer")); onClose(dialog); });
    return () => { wanted = false; };
  }, [dialog]);
  useEffect(() => { setTimeout(() => DIALOGS.switch().catch(() => {}), 1000); }, []);    // one types at once after Ctrl+K
  const isReady = view && view.of === dialog;
  useLayoutEffect(() => { if (isReady && !node.current.open) node.current.showModal(); }, [isReady]);
  if (!isReady) return null;
  return html`<dialog ref=${node} class="dialog-${dialog.name}" aria-label=${t(`dialog_${dialog.name}`)} onClose=${() => onClose(dialog)} onCancel=${(event) => event.stopPropagation()}
    onPointerDown=${(event) => { if (event.target === node.current) node.current.close(); }}>
    <div class="dialog-body">
      <header><h2>${t(`dialog_${dialog.name}`)}</h2><${IconButton} name="close" label=${t("close")} onClick=${() => node.current.close()} /></header>
      <${view.View} app=${app} close=${() => node.current?.close()} ...${dialog} />
    </div>
  </dialog>`;
}
