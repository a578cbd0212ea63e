// Where one is on a page: at a glyph, perhaps with neighbors that were chosen with it.

import { findAt, findCenter, findNeighbor, findSame } from "./glyphs.js";

/** @typedef {import("./glyphs.js").Glyph} Glyph */

export class Place {
  index = 0;
  #anchor = 0; // the other end of what is chosen

  /** @param {Glyph[]} glyphs  of the page */
  constructor(glyphs) {
    this.glyphs = glyphs;
  }

  /** The glyph where one is; undefined on a page without any. */
  get current() {
    return this.glyphs[this.index];
  }

  /** The glyphs that are chosen, in reading order. */
  get picked() {
    const ends = [this.index, this.#anchor].sort((a, b) => a - b);
    return this.glyphs.slice(ends[0], ends[1] + 1);
  }

  /** Go to a glyph.
   * @param {number} index
   * @param {boolean} more  and choose all up to it, too
   */
  go(index, more = false) {
    this.index = Math.min(this.glyphs.length - 1, Math.max(0, index));
    if (!more) this.#anchor = this.index;
  }

  /** Go where an arrow key leads.
   * @param {[number, number]} arrow
   * @param {boolean} more
   */
  walk(arrow, more) {
    this.go(findNeighbor(this.glyphs, this.index, arrow), more);
  }

  /** Go to what an earlier glyph is now, if it is still there.
   * @param {Glyph} before
   */
  goTo(before) {
    const index = findSame(this.glyphs, before);
    if (index >= 0) this.go(index);
  }

  /** Stay at the same ink when the page is read anew.
   * @param {Glyph[]} glyphs
   */
  renew(glyphs) {
    const find = (/** @type {Glyph | undefined} */ before) => {
      const same = before ? findSame(glyphs, before) : 0;
      return same < 0 && before ? findAt(glyphs, findCenter(before), Infinity) : same;
    };
    const [index, anchor] = [find(this.current), find(this.glyphs[this.#anchor])];
    this.glyphs = glyphs;
    this.go(anchor);
    this.go(index, true);
  }
}
