// The parts of a data set.

import { count, say } from "../i18n/words.js";
import { element } from "../ui/dom.js";

/** What the parts are called. */
export const PART_WORDS = /** @type {const} */ ({
  train: "partTrain",
  validation: "partValidation",
  test: "partTest",
});

const PARTS = /** @type {PartName[]} */ (Object.keys(PART_WORDS));

/** Show the parts as one bar, to scale, with their numbers in words.
 * @param {Record<PartName, number>} sizes
 */
export function partsBar(sizes) {
  const segments = PARTS.filter((part) => sizes[part]).map((part) => {
    const segment = element("span", { class: `part ${part}` });
    segment.style.flexGrow = String(sizes[part]);
    return segment;
  });
  const keys = PARTS.map((part) =>
    element("span", { class: `key ${part}` }, `${say(PART_WORDS[part])} ${count(sizes[part])}`),
  );
  return element(
    "div",
    { class: "parts" },
    element("div", { class: "partsbar", "aria-hidden": "true" }, segments),
    element("p", { class: "note" }, keys),
  );
}
