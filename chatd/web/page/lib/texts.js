// The texts of the page in the language of the user: t(KEY, { name }). Each language is one table in texts/.
import english from "../texts/en.js";

export const LANGUAGES = { en: "English", de: "Deutsch", es: "Español", zh: "中文", ar: "العربية" };
const RIGHT_TO_LEFT = ["ar"];
const current = { language: "en", texts: english, plurals: new Intl.PluralRules("en") };

export const language = () => current.language;

export function preferredLanguage(stored = null) {
  for (const tag of [stored, ...navigator.languages])
    if (tag && Object.hasOwn(LANGUAGES, tag.slice(0, 2).toLowerCase())) return tag.slice(0, 2).toLowerCase();
  return "en";
}

export async function useLanguage(name) {
  const texts = name === "en" ? english : (await import(`../texts/${name}.js`)).default;
  Object.assign(current, { language: name, texts, plurals: new Intl.PluralRules(name) });
  document.documentElement.lang = name;
  document.documentElement.dir = RIGHT_TO_LEFT.includes(name) ? "rtl" : "ltr";
}

export function t(key, values = {}) {
  let text = current.texts[key] ?? english[key] ?? key;
  if (typeof text === "object") text = text[current.plurals.select(values.count)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    return typeof value === "number" ? value.toLocaleString(current.language) : value ?? whole;
  });
}
