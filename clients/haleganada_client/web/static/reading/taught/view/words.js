// What the states of glyphs are called, and how a glyph is announced.

import { say } from "../../../i18n/words.js";
import { makeElement } from "../../../ui/dom.js";
import { formatShare, joinFacts } from "../../../ui/parts.js";

/** @typedef {import("../glyphs.js").Glyph} Glyph */

/** @type {Record<import("../glyphs.js").GlyphState, import("../../../i18n/words.js").Word>} */
export const STATE_WORDS = {
  settled: "glyphSettled",
  sure: "glyphSure",
  unsure: "glyphUnsure",
  unknown: "glyphUnknown",
};

/** Say which glyph it is, what it is and how sure that is.
 * @param {Glyph} glyph
 * @param {number} index
 * @param {number} total
 */
export const announce = ({ text, state, confidence }, index, total) =>
  joinFacts(
    say("glyphOf", { place: index + 1, total }),
    text,
    text && confidence !== null && formatShare(confidence),
    say(STATE_WORDS[state]),
  );

/** Say how far a page is.
 * @param {Glyph[]} glyphs
 */
export function summarize(glyphs) {
  const count = (/** @type {string} */ state) => glyphs.filter((glyph) => glyph.state === state).length;
  return joinFacts(
    say("countGlyphs", { count: glyphs.length }),
    say("countSettled", { count: count("settled") }),
    say("countUnsure", { count: count("unsure") }),
    say("countUnknown", { count: count("unknown") }),
  );
}

/** Build what says how the states look. */
export const buildLegend = () =>
  makeElement(
    "ul",
    { class: "legend" },
    Object.entries(STATE_WORDS).map(([state, word]) =>
      makeElement("li", {}, makeElement("span", { class: `swatch ${state}`, "aria-hidden": "true" }), say(word)),
    ),
  );
