// The icons, as strokes in a square of 24. Those that point to a side are mirrored in pages from right to left.
import { classes, html } from "../lib/html.js";

const SHAPES = {
  add: "M12 5v14M5 12h14", attach: "M20 11.500 12.300 19a5 5 0 0 1-7-7L13 4.300a3.300 3.300 0 0 1 4.700 4.700l-7.700 7.500a1.600 1.600 0 0 1-2.300-2.300l7-6.900",
  back: "M15 5l-7 7 7 7", bell: "M6 16V11a6 6 0 1 1 12 0v5l1.500 2h-15L6 16M10 20.500h4", check: "M5 12.500 10 17 19 7",
  close: "M6 6l12 12M18 6 6 18", copy: "M9 9h10v10H9zM15 9V5H5v10h4", down: "M12 5v14M6 13l6 6 6-6", edit: "M4 20l4-1L19 8l-3-3L5 16l-1 4",
  emoji: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M8.500 14.500a4.500 4.500 0 0 0 7 0M9 9.500h.01M15 9.500h.01", file: "M7 3h7l4 4v14H7zM14 3v4h4",
  forward: "M14 6l6 6-6 6M20 12H9a5 5 0 0 0-5 5v1", hash: "M5 9h14M5 15h14M10 4 8 20M16 4l-2 16", link: "M10 14a4 4 0 0 0 6 .3l3-3a4 4 0 0 0-5.700-5.700l-1 1M14 10a4 4 0 0 0-6-.3l-3 3a4 4 0 0 0 5.700 5.700l1-1",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3", more: "M6 12h.01M12 12h.01M18 12h.01", mute: "M6 16V11a6 6 0 0 1 1-3.300M10 5.400A6 6 0 0 1 18 11v5l1.500 2H8M10 20.500h4M4 4l16 16",
  people: "M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7M3 20a6 6 0 0 1 12 0M16 4.300a3.500 3.500 0 0 1 0 6.400M18 14.500a6 6 0 0 1 3 5.500", pin: "M9 4h6l-1 6 3 3v2H7v-2l3-3-1-6M12 15v6",
  reply: "M10 6l-6 6 6 6M4 12h11a5 5 0 0 1 5 5v1", report: "M5 21V4h13l-2.500 4.500L18 13H5", retry: "M4 12a8 8 0 1 0 2.500-5.800M4 4v4.500h4.500", search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14M16 16l4.500 4.500",
  send: "M4 12 20 4l-5 16-3.500-7L4 12M11.500 13 20 4", settings: "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6M12 3v3M12 18v3M4.200 7.500l2.600 1.500M17.200 15l2.600 1.500M4.200 16.500 6.800 15M17.200 9l2.600-1.500",
  thread: "M5 5h14v10h-7l-4 4v-4H5zM9 9h6M9 12h4", trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v5M14 11v5", unread: "M4 6h16v12H4zM4 7l8 6 8-6",
};
const DIRECTED = ["back", "forward", "reply", "send"];

export function Icon({ name }) {
  if (name === "logo") return html`<svg class="logo" viewBox="0 0 64 64" aria-hidden="true">
    <path d="M32 10c-12.700 0-23 8.300-23 18.800 0 6.200 3.700 11.800 9.400 15.200-.4 3-1.600 5.800-3.700 8.100 4.500-.5 8.600-2.100 12-4.700 1.700.3 3.500.5 5.300.5 12.700 0 23-8.400 23-19S44.700 10 32 10Z" />
    <circle cx="22" cy="29" r="3.200" /><circle cx="32" cy="29" r="3.200" /><circle cx="42" cy="29" r="3.200" /></svg>`;
  return html`<svg class=${classes("icon", DIRECTED.includes(name) && "directed", name === "more" && "dots")} viewBox="0 0 24 24" aria-hidden="true"><path d=${SHAPES[name]} /></svg>`;
}

export function IconButton({ name, label, ...rest }) {
  return html`<button type="button" class="icon-button" aria-label=${label} title=${label} ...${rest}><${Icon} name=${name} /></button>`;
}
