// The letter to draw, faintly on the slate: in the system's font, or, where no font has it, as it was taught.

import { buildPicture, findDrawing } from "../teaching/evidence.js";
import { getById, makeElement } from "../ui/dom.js";
import { hasGlyph } from "../ui/fonts.js";

/** Show a letter on the slate; "": none. One that no font has and nobody has taught yet cannot be shown.
 * @param {string} label
 */
export function showModelLetter(label) {
  const letter = label && canShow(label) ? [buildLetter(label)] : [];
  getById("model-letter").replaceChildren(...letter);
  getById("model-letter").hidden = !letter.length;
}

/** Build a letter as text; where no font has it, as the picture of a drawing that was taught, or at least by its code points.
 * @param {string} label
 */
export function buildLetter(label) {
  const drawing = findDrawing(label);
  if (hasGlyph(label)) return makeElement("span", { class: "script" }, label);
  if (drawing !== undefined) return buildPicture(drawing, { side: 240, alt: label });
  return makeElement("span", { class: "code-points" }, listCodePoints(label));
}

/** @param {string} label */
const canShow = (label) => hasGlyph(label) || findDrawing(label) !== undefined;

/** @param {string} label */
const listCodePoints = (label) =>
  [...label].map((one) => `U+${(one.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`).join(" ");
