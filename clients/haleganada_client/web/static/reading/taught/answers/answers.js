// What people say about glyphs, as corrections.

import { say } from "../../../i18n/words.js";

/**
 * @typedef {import("../glyphs.js").Glyph} Glyph
 * @typedef {import("./corrections.js").Correction} Correction
 */

/** Say what glyphs are.
 * @param {Glyph[]} glyphs
 * @param {string} text
 * @returns {Correction}
 */
export const nameGlyphs = (glyphs, text) => ({
  glyphs,
  text,
  make: (ids) => ({ name: { glyph_ids: ids, text } }),
  describe: (changed) => say("glyphNamed", { label: text }) + addChanged(changed - glyphs.length),
});

/** Say that ink is no glyph.
 * @param {Glyph[]} glyphs
 * @returns {Correction}
 */
export const removeGlyphs = (glyphs) => ({
  glyphs,
  make: (ids) => ({ remove: { glyph_ids: ids } }),
  describe: (changed) => say("glyphsRemoved", { count: glyphs.length }) + addChanged(changed),
});

/** Divide a glyph that is two.
 * @param {Glyph} glyph
 * @param {[import("../input/cut.js").Point, import("../input/cut.js").Point]} line
 * @returns {Correction}
 */
export const splitGlyph = (glyph, [from, to]) => ({
  glyphs: [glyph],
  make: ([id]) => ({ split: { glyph_id: id, from, to } }),
  describe: () => say("glyphSplit"),
});

/** Make one glyph of neighbors.
 * @param {Glyph[]} glyphs
 * @param {string} text  what they are together, "" if that is not said
 * @returns {Correction}
 */
export const joinGlyphs = (glyphs, text) => ({
  glyphs,
  make: (ids) => ({ join: { glyph_ids: ids, text } }),
  describe: () => say("glyphsJoined", { count: glyphs.length }),
});

/** @param {number} changed  glyphs beside those that were answered for */
const addChanged = (changed) => (changed > 0 ? ` ${say("glyphsChanged", { count: changed })}` : "");
