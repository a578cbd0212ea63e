// What a label looks like: a drawing that was taught, for every mention of it. There are scripts that no font here has.

import { makeUrl } from "../server/api.js";
import { makeElement } from "../ui/dom.js";

/** @type {Map<string, number>} */
let newest = new Map(); // the newest drawing of each label

/** Remember which drawing stands for a label.
 * @param {Stats} stats
 */
export function rememberDrawings({ labels }) {
  newest = new Map(labels.map(({ label, newest_sample_id: id }) => [label, id]));
}

/** Return the number of a drawing that was taught with a label, if there is one.
 * @param {string} label
 */
export const findDrawing = (label) => newest.get(label);

/** Build a small picture of a label. Returns null if it was never taught here, as a label of a model.
 * @param {string} label
 */
export function buildEvidence(label) {
  const id = newest.get(label);
  return id === undefined ? null : makeElement("span", { class: "evidence", "aria-hidden": "true" }, buildPicture(id));
}

/** Build the picture of a drawing. A number never names another one, so browsers may keep it.
 * @param {number} id
 * @param {{ side?: number, alt?: string }} options  side: CSS px
 */
export const buildPicture = (id, { side = 32, alt = "" } = {}) =>
  makeElement("img", { src: makeUrl(`/page/samples/${id}.png`), alt, loading: "lazy", width: side, height: side });
