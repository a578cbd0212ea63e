// How to read: what is on the page, in which language, by which engine. The choice is kept for the next time.

import { say } from "../i18n/words.js";
import { get } from "../server/api.js";
import { makeElement } from "../ui/dom.js";
import { settings } from "../ui/storage.js";

const KEPT = "reading-options";

/** @type {Record<string, import("../i18n/words.js").Word>} */
const MODES = { auto: "modeAuto", printed: "modePrinted", handwritten: "modeHandwritten" };

/** Build the form; values() returns what was chosen, for the address. */
export async function buildOptions() {
  /** @type {Engine[]} */
  const engines = await get("/page/readings/engines");
  const kept = JSON.parse(settings.get(KEPT) ?? "{}");
  const installed = engines.filter((engine) => engine.installed);
  const languages = [...new Set(installed.flatMap((engine) => engine.languages))].sort();
  const inputs = {
    mode: buildMenu(
      "read-mode",
      Object.entries(MODES).map(([value, word]) => [value, say(word)]),
      kept.mode,
    ),
    languages: buildMenu("read-language", [["", say("anyLanguage")], ...languages.map(nameLanguage)], kept.languages),
    engine: buildMenu("read-engine", [["", say("bestEngine")], ...installed.map(nameEngine)], kept.engine),
  };
  const values = () => {
    const chosen = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value]));
    settings.set(KEPT, JSON.stringify(chosen));
    return chosen;
  };
  const node = makeElement(
    "div",
    { class: "fields" },
    makeElement("label", { class: "field" }, say("readMode"), inputs.mode),
    makeElement("label", { class: "field" }, say("readLanguage"), inputs.languages),
    makeElement("label", { class: "field" }, say("readEngine"), inputs.engine),
    makeElement("div", { class: "wide" }, engines.filter((engine) => !engine.installed).map(buildHint)),
  );
  return { node, values };
}

/** @param {Engine} engine */
const buildHint = ({ display_name: name, install_hint: hint }) =>
  makeElement("p", { class: "note" }, say("engineMissing", { name, hint }));

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
