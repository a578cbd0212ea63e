// Strokes while they are drawn, and what is on the slate.

/**
 * @typedef {import("../pictures/read.js").Picture} Picture
 * @typedef {{ strokes: Stroke[], picture: Picture | null }} Content  What is on the slate.
 * @typedef {{ x: number, y: number, time: number, pressure: number }} Point  In CSS px of the slate and ms.
 */

/** @type {Content} */
export const EMPTY = { strokes: [], picture: null };

/** A stroke under way. */
export class OpenStroke {
  #began;
  #hasPressure;
  /** @type {Required<Stroke>} */
  #stroke = { x: [], y: [], time_ms: [], pressure: [] };

  /**
   * @param {unknown} pen  who draws it
   * @param {number} began  ms, when the drawing began
   * @param {boolean} hasPressure  whether the pen tells it; a mouse does not
   */
  constructor(pen, began, hasPressure) {
    this.pen = pen;
    this.#began = began;
    this.#hasPressure = hasPressure;
  }

  /** The stroke so far. It grows. */
  get stroke() {
    return this.#stroke;
  }

  /** @param {Point} point */
  add({ x, y, time, pressure }) {
    this.#stroke.x.push(roundToTenth(x));
    this.#stroke.y.push(roundToTenth(y));
    this.#stroke.time_ms.push(Math.max(0, roundToTenth(time - this.#began)));
    this.#stroke.pressure.push(Math.min(1, Math.max(0, pressure)));
  }

  /** Let it be as it is. */
  close() {
    if (!this.#hasPressure) delete (/** @type {Stroke} */ (this.#stroke).pressure);
  }
}

/** Scale what is, was and will be again on the slate. These share strokes; each stroke is scaled once.
 * @param {Content[]} contents
 * @param {number} ratio
 */
export function scale(contents, ratio) {
  for (const stroke of new Set(contents.flatMap(({ strokes }) => strokes))) {
    stroke.x = stroke.x.map((value) => value * ratio);
    stroke.y = stroke.y.map((value) => value * ratio);
  }
}

/** @param {number} value */
const roundToTenth = (value) => Math.round(value * 10) / 10;
