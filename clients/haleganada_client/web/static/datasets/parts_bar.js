// The parts of a data set.

import { formatCount, say } from "../i18n/words.js";
import { makeElement } from "../ui/dom.js";

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
export function buildPartsBar(sizes) {
  const segments = PARTS.filter((part) => sizes[part]).map((part) => {
    const segment = makeElement("span", { class: `part ${part}` });
    segment.style.flexGrow = String(sizes[part]);
    return segment;
  });
  const keys = PARTS.map((part) =>
    makeElement("span", { class: `key ${part}` }, `${say(PART_WORDS[part])} ${formatCount(sizes[part])}`),
  );
  return makeElement(
    "div",
    { class: "parts" },
    makeElement("div", { class: "partsbar", "aria-hidden": "true" }, segments),
    makeElement("p", { class: "note" }, keys),
  );
}
