// The choice how folders that are named by numbers are read.

import { say } from "../i18n/words.js";
import { makeElement } from "../ui/dom.js";

/** @typedef {import("../i18n/words.js").Word} Word */

/** @type {[string, Word][]} */
const RULES = [
  ["auto", "folderNamesAuto"],
  ["text", "folderNamesText"],
  ["code-points", "folderNamesPoints"],
];

/** Build a menu whose value is a rule of the server's.
 * @param {string} id
 */
export const buildFolderNames = (id) =>
  makeElement(
    "select",
    { id },
    RULES.map(([value, word]) => makeElement("option", { value }, say(word))),
  );
