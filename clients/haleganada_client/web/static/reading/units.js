// The units that are linked between scan and text: words, or whole lines where an engine tells no words apart.

/**
 * @typedef {object} Unit
 * @property {string} text
 * @property {[number, number][]} polygon  in px of the page
 * @property {number | null} confidence  0 to 1
 * @property {string} engine
 */

const UNSURE = 0.8; // below this confidence, a word is marked

/** Return the units of a page in reading order.
 * @param {PageReading} page
 * @returns {Unit[]}
 */
export const listUnits = (page) => page.blocks.flatMap((block) => block.lines.flatMap(splitLine));

/** Return the units of a line.
 * @param {TextLine} line
 * @returns {Unit[]}
 */
export function splitLine({ words, engine, ...line }) {
  return (words.length ? words : [line]).map(({ text, polygon, confidence }) => ({
    text,
    polygon,
    confidence,
    engine,
  }));
}

/** Return whether a reader should check a unit.
 * @param {Unit} unit
 */
export const isUnsure = ({ confidence }) => confidence !== null && confidence < UNSURE;
