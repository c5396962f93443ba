// Times, sizes and names as people read them.
import { language, t } from "./texts.js";

const DAY_MS = 86_400_000;
const made = new Map();

function formatter(kind, options) {
  const key = language() + JSON.stringify(options);
  if (!made.has(key)) made.set(key, new kind(language(), options));
  return made.get(key);
}

const startOfDay = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
export const dayOf = (iso) => startOfDay(new Date(iso)).getTime();

export const clock = (iso) => formatter(Intl.DateTimeFormat, { hour: "numeric", minute: "2-digit" }).format(new Date(iso));
export const moment = (iso) =>
  formatter(Intl.DateTimeFormat, { dateStyle: "full", timeStyle: "short" }).format(new Date(iso));

export function day(iso) {
  const days = Math.round((startOfDay(new Date()) - dayOf(iso)) / DAY_MS);
  if (days === 0) return t("today");
  if (days === 1) return t("yesterday");
  const year = new Date(iso).getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return formatter(Intl.DateTimeFormat, { weekday: "long", day: "numeric", month: "long", year }).format(new Date(iso));
}

// As a list shows it: the clock today, else the day.
export function short(iso) {
  const days = Math.round((startOfDay(new Date()) - dayOf(iso)) / DAY_MS);
  if (days === 0) return clock(iso);
  if (days < 7) return formatter(Intl.DateTimeFormat, { weekday: "short" }).format(new Date(iso));
  return formatter(Intl.DateTimeFormat, { day: "numeric", month: "short" }).format(new Date(iso));
}

export function size(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const options = { style: "unit", unit: units[step], unitDisplay: "short", maximumFractionDigits: step ? 1 : 0 };
  return formatter(Intl.NumberFormat, options).format(bytes / 1000 ** step);
}

export const nameOf = (user) => user?.displayName || user?.username || t("deletedUser");
export const listOf = (names) => formatter(Intl.ListFormat, { type: "conjunction" }).format(names);
