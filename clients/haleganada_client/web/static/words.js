// Every word of the pages, in the reader's language. The tables of both languages have the same keys; a test compares them.

import english from "./words.en.js";
import kannada from "./words.kn.js";
import englishModels from "./words.models.en.js";
import kannadaModels from "./words.models.kn.js";

const TABLES = { en: { ...english, ...englishModels }, kn: { ...kannada, ...kannadaModels } };

const language = () => document.documentElement.lang;
const locale = () => (language() === "kn" ? "kn-IN" : undefined);

// {name} is a value; {name|one|many} is what stands behind one of something, or behind any other number.
export function say(word, values = {}) {
  const text = TABLES[language()][word] ?? TABLES.en[word] ?? word;
  const numbered = text.replace(/\{(\w+)\|([^|}]*)\|([^}]*)\}/g, (_, name, one, many) => (String(values[name]) === "1" ? one : many));
  return numbered.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export function switchLanguage() {
  document.documentElement.lang = language() === "en" ? "kn" : "en";
  localStorage.setItem("language", language());
}

// Put words into everything that asks for them with data-word (its text) or data-word-label (its accessible name).
export function translatePage() {
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = say(node.dataset.word);
  for (const node of document.querySelectorAll("[data-word-label]")) {
    node.setAttribute("aria-label", say(node.dataset.wordLabel));
    if (["BUTTON", "A"].includes(node.tagName)) node.title = say(node.dataset.wordLabel);
  }
  const other = document.getElementById("language");
  other.textContent = language() === "en" ? "ಕನ್ನಡ" : "English";
  other.lang = language() === "en" ? "kn" : "en";
}

// Only what is certain is 100 %, only nothing is 0 %, as the command line has it.
export function percent(share) {
  if (share > 0 && share < 0.0005) return "<0.1 %";
  return share >= 0.9995 && share < 1 ? ">99.9 %" : `${(100 * share).toFixed(1)} %`;
}

export const moment = (time) => new Date(time).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" });

export const count = (number) => number.toLocaleString(locale());

const UNITS = ["B", "kB", "MB", "GB"];

export function size(bytes) {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** unit).toFixed(unit ? 1 : 0)} ${UNITS[unit]}`;
}
