// Which characters the fonts of this device have.

const SIDE = 24; // px, enough to tell one glyph from another
const NO_CHARACTER = "\u{10fffd}"; // no font has it, so it is drawn as whatever stands for what is missing

/** Return whether some font here has every character of a text.
 * @param {string} text
 */
export const hasGlyph = (text) => ![...text].some((character) => looksLike(character, NO_CHARACTER));

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
