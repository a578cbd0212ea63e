// Names in menus.

import { formatTime } from "../i18n/words.js";
import { joinFacts } from "./parts.js";

/** @typedef {{ name: string, create_time: string | null, dataset_id?: string, model_id?: string }} Choice */

/** Return the names of data sets or models from which one is chosen. Where a name does not tell two apart, the date and
 * then the id does.
 * @param {Choice[]} choices
 */
export function findDistinctNames(choices) {
  /** @type {((choice: Choice) => string)[]} */
  const additions = [
    ({ create_time: time }) => (time ? formatTime(time) : ""),
    ({ dataset_id: dataset, model_id: model }) => dataset ?? model ?? "",
  ];
  return additions.reduce(
    (names, addition) => {
      const isShared = (/** @type {string} */ name) => names.indexOf(name) !== names.lastIndexOf(name);
      return names.map((name, i) => (isShared(name) ? joinFacts(name, addition(choices[i])) : name));
    },
    choices.map(({ name }) => name),
  );
}
