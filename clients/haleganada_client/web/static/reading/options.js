// How to read: what is on the page, in which language, by which engine; or, where people have taught the script, by which
// workspace and in which order. The choice is kept for the next time.

import { isServerLanguage, say } from "../i18n/words.js";
import { get, getWorkspace } from "../server/api.js";
import { makeElement } from "../ui/dom.js";
import { settings } from "../ui/storage.js";

const KEPT = "reading-options";
const COMMAND = /\S*\b(?:pip|apt) install [^,;]+/;

/** @type {Record<string, import("../i18n/words.js").Word>} */
const MODES = { auto: "modeAuto", printed: "modePrinted", handwritten: "modeHandwritten", taught: "modeTaught" };

/** @type {Record<string, import("../i18n/words.js").Word>} */
const ORDERS = {
  "left-to-right": "orderLeftToRight",
  "right-to-left": "orderRightToLeft",
  "columns-from-right": "orderColumnsFromRight",
  "columns-from-left": "orderColumnsFromLeft",
  boustrophedon: "orderBoustrophedon",
};

/** Build the form; values() returns what was chosen, for the address. */
export async function buildOptions() {
  /** @type {Engine[]} */
  const engines = await get("/page/readings/engines");
  const kept = JSON.parse(settings.get(KEPT) ?? "{}");
  const installed = engines.filter((engine) => engine.installed);
  const languages = [...new Set(installed.flatMap((engine) => engine.languages))].sort();
  const inputs = {
    mode: buildMenu("read-mode", nameChoices(MODES), kept.mode),
    languages: buildMenu("read-language", [["", say("anyLanguage")], ...languages.map(nameLanguage)], kept.languages),
    reading_order: buildMenu("read-order", nameChoices(ORDERS), kept.reading_order),
    engine: buildMenu("read-engine", [["", say("bestEngine")], ...installed.map(nameEngine)], kept.engine),
  };
  const engineFields = [
    makeElement("label", { class: "field" }, say("readLanguage"), inputs.languages),
    makeElement("label", { class: "field" }, say("readEngine"), inputs.engine),
    makeElement("div", { class: "wide" }, engines.filter((engine) => !engine.installed).map(buildHint)),
  ];
  const taughtFields = [
    makeElement("label", { class: "field" }, say("readOrder"), inputs.reading_order),
    makeElement("p", { class: "note wide" }, say("taughtBy", { workspace: getWorkspace() })),
  ];
  const isTaught = () => inputs.mode.value === "taught";
  const showFields = () => {
    for (const field of engineFields) field.hidden = isTaught();
    for (const field of taughtFields) field.hidden = !isTaught();
  };
  showFields();
  const list = () => Object.entries(inputs).map(([name, input]) => [name, input.value]);
  const values = () => {
    const unused = isTaught() ? ["languages", "engine"] : ["reading_order"];
    return Object.fromEntries(list().filter(([name]) => !unused.includes(name)));
  };
  const node = makeElement(
    "div",
    { class: "fields" },
    makeElement("label", { class: "field" }, say("readMode"), inputs.mode),
    ...engineFields,
    ...taughtFields,
  );
  node.addEventListener("change", () => {
    settings.set(KEPT, JSON.stringify(Object.fromEntries(list())));
    showFields();
  });
  return { node, values };
}

/** @param {Record<string, import("../i18n/words.js").Word>} words
 * @returns {[string, string][]} */
const nameChoices = (words) => Object.entries(words).map(([value, word]) => [value, say(word)]);

/** Say what to install: in the reader's language, the command alone.
 * @param {Engine} engine
 */
function buildHint({ display_name: name, install_hint: hint }) {
  const command = isServerLanguage() ? hint : (COMMAND.exec(hint)?.[0] ?? hint);
  return makeElement("p", { class: "note" }, say("engineMissing", { name, hint: command }));
}

/** @param {Engine} engine
 * @returns {[string, string]} */
const nameEngine = ({ engine, display_name: name, version }) => [engine, `${name} ${version}`];

/** Name a language as its readers do, where the browser knows it.
 * @param {string} code
 * @returns {[string, string]}
 */
function nameLanguage(code) {
  try {
    return [code, new Intl.DisplayNames([document.documentElement.lang], { type: "language" }).of(code) ?? code];
  } catch {
    return [code, code]; // an engine's own name, no code of a language
  }
}

/**
 * @param {string} id
 * @param {[string, string][]} choices  value and text
 * @param {string} chosen
 */
function buildMenu(id, choices, chosen = "") {
  const options = choices.map(([value, text]) => makeElement("option", { value, selected: value === chosen }, text));
  return makeElement("select", { id }, options);
}
