// The letter to draw, faintly on the slate: in the system's font, or, where no font has it, as it was taught.

import { buildPicture, findDrawing } from "../teaching/evidence.js";
import { getById, makeElement } from "../ui/dom.js";

const SIDE = 24; // px, enough to tell one glyph from another
const NO_CHARACTER = "\u{10fffd}"; // no font has it, so it is drawn as whatever stands for what is missing

/** Show a letter on the slate; "": none.
 * @param {string} label
 */
export function showModelLetter(label) {
  getById("model-letter").replaceChildren(...(label ? [buildLetter(label)] : []));
  getById("model-letter").hidden = !label;
}

/** Build a letter as text, or, where no font has it, as the picture of a drawing that was taught.
 * @param {string} label
 */
export function buildLetter(label) {
  const drawing = findDrawing(label);
  return drawing === undefined || hasGlyph(label)
    ? makeElement("span", { class: "script" }, label)
    : buildPicture(drawing, { side: 240 });
}

/** Return whether some font here has every character of a text.
 * @param {string} text
 */
const hasGlyph = (text) => ![...text].some((character) => looksLike(character, NO_CHARACTER));

/**
 * @param {string} one
 * @param {string} other
 */
const looksLike = (one, other) => paint(one) === paint(other);

/** @param {string} character */
function paint(character) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  pen.font = `${SIDE / 2}px ${getComputedStyle(document.documentElement).getPropertyValue("--script")}`;
  pen.fillText(character, 2, SIDE * 0.75);
  return pen.getImageData(0, 0, SIDE, SIDE).data.join();
}
