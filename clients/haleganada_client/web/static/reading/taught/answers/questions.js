// What is best asked next, and whether it is asked.

import { settings } from "../../../ui/storage.js";

/** @typedef {import("../glyphs.js").Glyph} Glyph */

const KEPT = "reading-ask";

/** Return whether the next question follows an answer. */
export const isAsking = () => settings.get(KEPT) !== "off";

/** Ask, or do not ask, what is best asked next.
 * @param {boolean} on
 */
export const switchAsking = (on) => settings.set(KEPT, on ? "on" : "off");

/** Return the questions of a page whose glyphs are there, without those that an answer is under way for.
 * @param {PageReading} page
 * @param {Glyph[]} glyphs
 * @param {Set<number>} answered  ids
 * @returns {{ index: number, alike: Glyph[], reason: string }[]}
 */
export function listQuestions(page, glyphs, answered) {
  const places = new Map(glyphs.map((glyph, index) => [glyph.id, index]));
  const isOpen = (/** @type {number} */ id) => places.has(id) && !answered.has(id);
  return page.questions
    .filter(({ glyph_id: id }) => isOpen(id))
    .map(({ glyph_id: id, similar_glyph_ids: ids, reason }) => ({
      index: /** @type {number} */ (places.get(id)),
      alike: ids.filter(isOpen).map((one) => glyphs[/** @type {number} */ (places.get(one))]),
      reason,
    }));
}
