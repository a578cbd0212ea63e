// The picture of a page with a box around each word.

import { buildSheet, makeShape } from "./sheet.js";
import { isUnsure } from "./units.js";

/**
 * @typedef {object} Listeners
 * @property {(index: number | null) => void} onPoint  a word is pointed at, or none
 * @property {(index: number) => void} onChoose  a word was clicked
 */

/** Build the scan of a page.
 * @param {PageReading} page
 * @param {import("./units.js").Unit[]} words
 * @param {string} address  of its picture
 * @param {Listeners} listeners
 */
export function buildScan(page, words, address, { onPoint, onChoose }) {
  const { node, overlay, zoom, reveal: revealPolygon } = buildSheet(page, address);
  const boxes = words.map((word) => makePolygon(word.polygon, isUnsure(word) ? "box unsure" : "box"));
  overlay.append(...boxes);
  let lit = -1;

  const light = (/** @type {number | null} */ index) => {
    boxes[lit]?.classList.remove("lit");
    lit = index ?? -1;
    boxes[lit]?.classList.add("lit");
  };
  overlay.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") onPoint(findIndex(boxes, event.target));
  });
  overlay.addEventListener("pointerleave", () => onPoint(null));
  overlay.addEventListener("click", (event) => {
    const index = findIndex(boxes, event.target);
    onPoint(index);
    if (index !== null && !zoom.isDragging()) onChoose(index);
  });
  const reveal = (/** @type {number} */ index) => revealPolygon(words[index].polygon);
  return { node, light, reveal, fit: zoom.fit };
}

/**
 * @param {[number, number][]} points
 * @param {string} name  of its class
 */
const makePolygon = (points, name) =>
  makeShape("polygon", { points: points.map((point) => point.join(",")).join(" "), class: name });

/**
 * @param {SVGElement[]} boxes
 * @param {EventTarget | null} target
 */
function findIndex(boxes, target) {
  const index = boxes.indexOf(/** @type {SVGElement} */ (target));
  return index < 0 ? null : index;
}
