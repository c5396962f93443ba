// A button with a menu: arrow keys move in it, Escape closes it.
import { html, useLayoutEffect, useRef, useState } from "../lib/html.js";
import { Icon, IconButton } from "./icons.js";

export function Menu({ label, rows, onOpen = () => {}, icon = "more" }) {
  const [open, setOpen] = useState(false), box = useRef();
  const toggle = (value) => { setOpen(value); onOpen(value); };

  useLayoutEffect(() => {
    if (!open) return undefined;
    const items = box.current.querySelectorAll("[role=menuitem]");
    items[0]?.focus();
    const menu = box.current.querySelector("[role=menu]");
    if (menu.getBoundingClientRect().bottom > innerHeight - 8) menu.dataset.above = "";
    const outside = (event) => { if (!box.current?.contains(event.target)) toggle(false); };
    addEventListener("pointerdown", outside);
    return () => removeEventListener("pointerdown", outside);
  }, [open]);

  function pressed(event) {
    const items = [...box.current.querySelectorAll("[role=menuitem]")], at = items.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") { toggle(false); box.current.querySelector("button").focus(); }
    if (next === undefined && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (next !== undefined) items.at(next % items.length)?.focus();
  }

  return html`<span class="menu" ref=${box} onKeyDown=${open ? pressed : null}>
    <${IconButton} name=${icon} label=${label} aria-haspopup="menu" aria-expanded=${open} onClick=${() => toggle(!open)} />
    ${open && html`<ul role="menu" aria-label=${label}>${rows.map(([name, text, act]) => html`<li role="none" key=${text}>
      <button role="menuitem" tabindex="-1" class=${name === "trash" ? "danger" : null} onClick=${() => { toggle(false); act(); }}><${Icon} name=${name} /> ${text}</button></li>`)}</ul>`}
  </span>`;
}
