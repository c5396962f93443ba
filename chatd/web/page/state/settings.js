// What the user has chosen for this browser: language, light or dark, density, sounds of the system.
import { preferredLanguage, useLanguage } from "../lib/texts.js";

const KEY = "chatd-settings";
const DEFAULTS = { language: null, theme: "system", density: "comfortable", notify: false };

export function settings() {
  try { return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") }; } catch { return { ...DEFAULTS }; }
}

export async function applySettings(changes = null) {
  const now = { ...settings(), ...changes };
  if (changes) localStorage.setItem(KEY, JSON.stringify(now));
  const root = document.documentElement;
  root.dataset.theme = now.theme;
  root.dataset.density = now.density;
  await useLanguage(preferredLanguage(now.language));
  return now;
}
