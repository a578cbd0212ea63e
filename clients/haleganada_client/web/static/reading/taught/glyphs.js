// The glyphs of a page that was read by what people taught, in reading order, and the way from one to another.

const UNSURE = 0.8; // below this confidence, a glyph is marked
const SAME_PLACE = 0.5; // share of two boxes that they have in common where they are about the same ink

/** @typedef {"settled" | "sure" | "unsure" | "unknown"} GlyphState */

/**
 * @typedef {object} Glyph
 * @property {number} id  names it in corrections
 * @property {string} text  "" if nobody has taught it
 * @property {[number, number][]} polygon  in px of the page
 * @property {[number, number, number, number]} box  around it: left, top, right, bottom
 * @property {number | null} confidence  0 to 1
 * @property {GlyphCandidate[]} candidates
 * @property {GlyphState} state
 * @property {number} line  its number on the page, from 0
 * @property {number} word  its number on the page, from 0
 */

/** Return the glyphs of a page, in reading order.
 * @param {PageReading} page
 * @returns {Glyph[]}
 */
export function listGlyphs(page) {
  let word = -1;
  const lines = page.blocks.flatMap((block) => block.lines);
  return lines.flatMap((line, number) =>
    line.words.flatMap((one) => {
      word += 1;
      return one.glyphs.map((glyph) => makeGlyph(glyph, number, word));
    }),
  );
}

/**
 * @param {TextGlyph} glyph
 * @param {number} line
 * @param {number} word
 * @returns {Glyph}
 */
function makeGlyph({ glyph_id: id, text, polygon, confidence, candidates, settled }, line, word) {
  const [xs, ys] = [polygon.map(([x]) => x), polygon.map(([, y]) => y)];
  return {
    id: id ?? -1,
    text,
    polygon,
    box: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)],
    confidence,
    candidates,
    state: chooseState(text, confidence, settled),
    line,
    word,
  };
}

/**
 * @param {string} text
 * @param {number | null} confidence
 * @param {boolean} settled
 * @returns {GlyphState}
 */
function chooseState(text, confidence, settled) {
  if (settled) return "settled";
  if (!text) return "unknown";
  return confidence !== null && confidence < UNSURE ? "unsure" : "sure";
}

/** Return the index of the smallest glyph whose box has a point, of the nearest within a distance if none has it, or -1.
 * @param {Glyph[]} glyphs
 * @param {[number, number]} point
 * @param {number} reach  px of the page
 */
export function findAt(glyphs, [x, y], reach = 0) {
  let [found, least] = [-1, Infinity];
  glyphs.forEach(({ box: [left, top, right, bottom] }, i) => {
    const away = Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom));
    if (away > reach) return;
    const rank = away ? 1e12 * away : (right - left) * (bottom - top); // to be in a box counts before being near one
    if (rank < least) [found, least] = [i, rank];
  });
  return found;
}

/** Return the index of the glyph that a glyph of an earlier reading of the page is now, or -1.
 * @param {Glyph[]} glyphs
 * @param {Glyph} before
 */
export function findSame(glyphs, before) {
  const same = glyphs.findIndex(({ id }) => id === before.id);
  if (same >= 0) return same;
  return glyphs.findIndex(({ box }) => measureOverlap(box, before.box) > SAME_PLACE);
}

/** Return the index of the glyph that an arrow key leads to.
 * @param {Glyph[]} glyphs
 * @param {number} from
 * @param {[number, number]} arrow  1 to the right and downwards
 */
export function findNeighbor(glyphs, from, arrow) {
  const line = glyphs.filter((glyph) => glyph.line === glyphs[from].line);
  const along = findDirection(line);
  const way = along[0] * arrow[0] + along[1] * arrow[1];
  const to = way ? from + way : findInNextLine(glyphs, from, arrow);
  return Math.min(glyphs.length - 1, Math.max(0, to));
}

/** Return where a line of glyphs runs: one of [1, 0], [-1, 0], [0, 1], [0, -1].
 * @param {Glyph[]} line
 */
export function findDirection(line) {
  const [first, last] = [findCenter(line[0]), findCenter(line[line.length - 1])];
  const [x, y] = [last[0] - first[0], last[1] - first[1]];
  if (!x && !y) return [1, 0];
  return Math.abs(x) >= Math.abs(y) ? [Math.sign(x), 0] : [0, Math.sign(y)];
}

/**
 * @param {Glyph[]} glyphs
 * @param {number} from
 * @param {[number, number]} arrow
 */
function findInNextLine(glyphs, from, [right, down]) {
  const here = findCenter(glyphs[from]);
  const across = down ? 1 : 0;
  const ahead = (/** @type {Glyph} */ glyph) => (findCenter(glyph)[across] - here[across]) * (right + down);
  const lines = [glyphs[from].line - 1, glyphs[from].line + 1];
  const candidates = glyphs.filter((glyph) => lines.includes(glyph.line) && ahead(glyph) > 0);
  const aside = (/** @type {Glyph} */ glyph) => Math.abs(findCenter(glyph)[1 - across] - here[1 - across]);
  const [nearest] = candidates.sort((a, b) => aside(a) - aside(b));
  return nearest ? glyphs.indexOf(nearest) : from;
}

/** @param {Glyph} glyph
 * @returns {[number, number]} */
export const findCenter = ({ box: [left, top, right, bottom] }) => [(left + right) / 2, (top + bottom) / 2];

/** Return the share of two boxes that they have in common, 0 to 1: intersection over union.
 * @param {Glyph["box"]} a
 * @param {Glyph["box"]} b
 */
function measureOverlap(a, b) {
  const wide = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const tall = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (wide <= 0 || tall <= 0) return 0;
  const area = (/** @type {Glyph["box"]} */ [left, top, right, bottom]) => (right - left) * (bottom - top);
  return (wide * tall) / (area(a) + area(b) - wide * tall);
}
