// The text of a page, line by line, of which each glyph can be chosen.

import { say } from "../../../i18n/words.js";
import { makeElement } from "../../../ui/dom.js";

/** @typedef {import("../glyphs.js").Glyph} Glyph */

const NOT_READ = "▢"; // stands for a glyph that nobody has taught

/** Build the text of a page.
 * @param {(index: number, more: boolean) => void} onChoose
 */
export function buildText(onChoose) {
  /** @type {HTMLElement[]} */
  let spans = [];
  let current = -1;
  const node = makeElement("div", {
    class: "page-text script glyph-text",
    id: "text",
    tabindex: "0",
    role: "document",
    "aria-label": say("text"),
    "aria-description": say("glyphTextHelp"),
  });
  node.addEventListener("click", (event) => {
    const index = spans.indexOf(/** @type {HTMLElement} */ (event.target));
    if (index >= 0) onChoose(index, event.shiftKey);
  });

  /** Show glyphs. changed: the ids of those that are marked as new. areNames: their labels are names, parted by spaces.
   * @param {Glyph[]} glyphs
   * @param {Set<number>} changed
   * @param {boolean} areNames
   */
  const show = (glyphs, changed, areNames) => {
    spans = glyphs.map((glyph) => buildGlyph(glyph, changed.has(glyph.id)));
    const needsSpace = (/** @type {number} */ index) => areNames || glyphs[index].word !== glyphs[index - 1].word;
    const lines = [...Map.groupBy(spans.keys(), (index) => glyphs[index].line).values()].map((indices) => {
      const parts = indices.flatMap((index, i) => [i > 0 && needsSpace(index) && " ", spans[index]]);
      return makeElement("p", { class: "line", dir: "auto" }, parts);
    });
    node.replaceChildren(...(lines.length ? lines : [makeElement("p", { class: "empty" }, say("noText"))]));
    light(current);
  };
  const light = (/** @type {number} */ index) => {
    spans[current]?.classList.remove("lit");
    current = index;
    spans[current]?.classList.add("lit");
  };
  const reveal = () => {
    const [outer, inner] = [node.getBoundingClientRect(), spans[current]?.getBoundingClientRect()];
    if (inner && (inner.top < outer.top || inner.bottom > outer.bottom)) {
      node.scrollBy({ top: (inner.top + inner.bottom - outer.top - outer.bottom) / 2 });
    }
  };
  return { node, show, light, reveal };
}

/** @param {Glyph} glyph
 * @param {boolean} isChanged */
const buildGlyph = ({ text, state }, isChanged) =>
  makeElement("span", { class: `glyph ${state}${isChanged ? " changed" : ""}` }, text || NOT_READ);
