// The words of the pages in the reader's language, and numbers, times and sizes as they are written in it.

import { settings } from "../ui/storage.js";
import { LANGUAGES } from "./languages.js";

/** @typedef {keyof typeof import("./en.json")} Word  The name of a word or a text. */

const SERVER_LANGUAGE = "en";
const UNITS = ["B", "kB", "MB", "GB"];

let language = "";
/** @type {Record<string, string>} */
let texts = {};

await useLanguage(findPreferredLanguage());

/** Return the code of the language that is shown. */
export const getLanguage = () => language;

/** Return whether the reader's language is that of the server's own messages, which say more than the page's words. */
export const isServerLanguage = () => language === SERVER_LANGUAGE;

/** Show a language from now on, and after a reload too.
 * @param {string} code  a key of LANGUAGES
 */
export async function chooseLanguage(code) {
  await useLanguage(code);
  settings.set("language", code);
  document.cookie = `haleganada_language=${code}; Path=/; Max-Age=31536000; SameSite=Strict`; // sent along with the next page
}

/** Return a text. In it, {name} is a value; {name|one|many} depends on whether the value is 1.
 * @param {Word} word
 * @param {Record<string, unknown>} values
 */
export function say(word, values = {}) {
  return texts[word]
    .replace(/\{(\w+)\|([^|}]*)\|([^}]*)\}/g, (_, name, one, many) => (String(values[name]) === "1" ? one : many))
    .replace(/\{(\w+)\}/g, (gap, name) => String(values[name] ?? gap));
}

/** Translate every element that asks for it: data-word names its text, data-word-label its accessible name, data-word-hint
 * what stands in it while it is empty. */
export function translatePage() {
  for (const node of findElementsWith("data-word")) node.textContent = say(/** @type {Word} */ (node.dataset.word));
  for (const node of findElementsWith("data-word-hint")) {
    node.setAttribute("placeholder", say(/** @type {Word} */ (node.dataset.wordHint)));
  }
  for (const node of findElementsWith("data-word-label")) {
    const label = say(/** @type {Word} */ (node.dataset.wordLabel));
    node.setAttribute("aria-label", label);
    if (["BUTTON", "A"].includes(node.tagName)) node.title = label;
  }
}

/** Format a share, 0 to 1, as a percentage. Like the command line, say 100 % and 0 % only of what is exactly that.
 * @param {number} share
 */
export function formatPercent(share) {
  if (share > 0 && share < 0.0005) return "<0.1 %";
  return share >= 0.9995 && share < 1 ? ">99.9 %" : `${(100 * share).toFixed(1)} %`;
}

/** Format a date and time.
 * @param {string} time  ISO 8601
 */
export const formatTime = (time) =>
  new Date(time).toLocaleString(findLocale(), { dateStyle: "medium", timeStyle: "short" });

/** Format a whole number.
 * @param {number} number
 */
export const formatCount = (number) => number.toLocaleString(findLocale());

/** Format a number of bytes.
 * @param {number} bytes
 */
export function formatSize(bytes) {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** unit).toFixed(unit ? 1 : 0)} ${UNITS[unit]}`;
}

/** Format a duration, to the second or to the minute.
 * @param {number} seconds
 */
export function formatDuration(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return say("seconds", { s: whole });
  const minutes = Math.round(whole / 60);
  return minutes < 60 ? say("minutes", { m: minutes }) : say("hours", { h: Math.floor(minutes / 60), m: minutes % 60 });
}

/** @param {string} code */
async function useLanguage(code) {
  const answer = await fetch(new URL(`../i18n/${code}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`${code}.json: HTTP ${answer.status}`);
  texts = await answer.json();
  language = code;
  document.documentElement.lang = code;
}

function findPreferredLanguage() {
  const chosen = [settings.get("language"), navigator.language.split("-")[0]];
  return chosen.find((code) => code && Object.hasOwn(LANGUAGES, code)) ?? Object.keys(LANGUAGES)[0];
}

// The reader's own region where the browser knows it, as en-GB.
const findLocale = () => navigator.languages.find((code) => code.split("-")[0] === language) ?? language;

/** @param {string} attribute
 * @returns {NodeListOf<HTMLElement>} */
const findElementsWith = (attribute) => document.querySelectorAll(`[${attribute}]`);
