// A line across a glyph, at which it is divided.

import { findDirection } from "../glyphs.js";

/**
 * @typedef {import("../glyphs.js").Glyph} Glyph
 * @typedef {[number, number]} Point  in px of the page
 */

const STEP = 0.04; // of a glyph, for each press of a key
const LEAST = 0.5; // of a glyph that a line must cross, in the direction in which it is drawn
const BEYOND = 0.02; // of the glyph: how far a line that divides it is drawn beyond its box

/** Return a drawn line, made to reach across a glyph; null if it does not cross it.
 * @param {Glyph} glyph
 * @param {Point} from
 * @param {Point} to
 * @returns {[Point, Point] | null}
 */
export function crossGlyph({ box }, from, to) {
  const drawn = clip(box, from, to, 0, 1);
  const whole = clip(box, from, to, -Infinity, Infinity);
  if (!drawn || !whole) return null;
  const [wide, tall] = [box[2] - box[0], box[3] - box[1]];
  const crossed = Math.max(Math.abs(drawn[1][0] - drawn[0][0]) / wide, Math.abs(drawn[1][1] - drawn[0][1]) / tall);
  return crossed >= LEAST ? whole : null;
}

/** A cut that was asked for by a key or a button: a straight line that keys move. */
export class Cut {
  /** @type {import("../place.js").Place | null} */
  #place = null;
  #share = 0.5; // of the glyph that lies before the line

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
  }

  get isOn() {
    return Boolean(this.#place);
  }

  /** Where the line is, null if no cut was asked for. */
  get line() {
    return this.#place && placeCut(this.#place.current, this.#findLine(), this.#share);
  }

  /** Begin, or leave it.
   * @param {import("../place.js").Place} place
   */
  toggle(place) {
    this.#place = this.#place || !place.current ? null : place;
    this.#share = 0.5;
    this.onChange();
  }

  /** Move the line. Returns false if there is none.
   * @param {[number, number]} arrow
   */
  move([right, down]) {
    if (!this.#place) return false;
    this.#share = Math.min(1 - STEP, Math.max(STEP, this.#share + STEP * (right + down)));
    this.onChange();
    return true;
  }

  /** End it, and return the line; null if no cut was asked for.
   * @returns {[Point, Point] | null}
   */
  take() {
    const { line } = this;
    if (!line) return null;
    this.#place = null;
    this.onChange();
    return line;
  }

  #findLine() {
    const place = /** @type {import("../place.js").Place} */ (this.#place);
    return place.glyphs.filter((glyph) => glyph.line === place.current.line);
  }
}

/** Return a straight line across a glyph, at right angles to its line of text.
 * @param {Glyph} glyph
 * @param {Glyph[]} line  all glyphs of that line
 * @param {number} share  of the glyph that lies before it, 0 to 1
 * @returns {[Point, Point]}
 */
function placeCut({ box: [left, top, right, bottom] }, line, share) {
  const isUpright = Boolean(findDirection(line)[1]);
  const [wide, tall] = [BEYOND * (right - left), BEYOND * (bottom - top)];
  if (isUpright) {
    const y = top + share * (bottom - top);
    return [
      [left - wide, y],
      [right + wide, y],
    ];
  }
  const x = left + share * (right - left);
  return [
    [x, top - tall],
    [x, bottom + tall],
  ];
}

/** Return the part of a line that lies in a box (Liang and Barsky 1984); null if none does.
 * @param {Glyph["box"]} box
 * @param {Point} from
 * @param {Point} to
 * @param {number} enter  where the line begins, 0 = at from
 * @param {number} leave  where it ends, 1 = at to
 * @returns {[Point, Point] | null}
 */
function clip([left, top, right, bottom], from, to, enter, leave) {
  const [x, y] = [to[0] - from[0], to[1] - from[1]];
  const sides = [
    [-x, from[0] - left],
    [x, right - from[0]],
    [-y, from[1] - top],
    [y, bottom - from[1]],
  ];
  for (const [step, room] of sides) {
    if (!step && room < 0) return null;
    if (step < 0) enter = Math.max(enter, room / step);
    if (step > 0) leave = Math.min(leave, room / step);
  }
  if (!Number.isFinite(enter) || enter > leave) return null;
  return [
    [from[0] + enter * x, from[1] + enter * y],
    [from[0] + leave * x, from[1] + leave * y],
  ];
}
