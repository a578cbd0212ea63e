// Which glyphs get the same answer: those that look alike, without those that were taken out.

import { say } from "../../../i18n/words.js";
import { makeButton, makeElement, replaceKeepingFocus } from "../../../ui/dom.js";
import { buildCropCanvas, drawCrop } from "./crops.js";

/** @typedef {import("../glyphs.js").Glyph} Glyph */

const SHOWN = 24; // of those that look alike, at first
const SIDE_PX = 56;

/** Build the glyphs that look like the one that is asked for. Each can be taken out and put back.
 * @param {HTMLImageElement} picture  of the page
 * @param {number} width  of the page in px
 * @param {() => void} onChange
 */
export function buildAlike(picture, width, onChange) {
  const node = makeElement("div", { class: "alike", role: "group", "aria-label": say("alikeLabel") });
  /** @type {Glyph[]} */
  let alike = [];
  /** @type {Set<number>} */
  let left = new Set(); // ids of those that were taken out

  let asked = -1; // id of the glyph that is asked for

  const show = (/** @type {Glyph} */ glyph, /** @type {Glyph[]} */ glyphs) => {
    alike = glyphs;
    if (glyph.id !== asked) left = new Set();
    asked = glyph.id;
    fill(SHOWN);
  };
  const fill = (/** @type {number} */ most) => {
    const rest = alike.length - most;
    const more =
      rest > 0 && makeButton(`+${rest}`, () => fill(alike.length), { "aria-label": `+${rest}: ${say("more")}` });
    node.hidden = !alike.length;
    replaceKeepingFocus(node, ...alike.slice(0, most).map(buildOne), ...(more ? [more] : []));
  };
  const buildOne = (/** @type {Glyph} */ glyph, /** @type {number} */ i) => {
    const canvas = buildCropCanvas(SIDE_PX);
    drawCrop(canvas, picture, width, glyph);
    const toggle = () => {
      if (!left.delete(glyph.id)) left.add(glyph.id);
      button.setAttribute("aria-pressed", String(!left.has(glyph.id)));
      onChange();
    };
    const button = makeButton(canvas, toggle, {
      class: "one-alike",
      "aria-pressed": String(!left.has(glyph.id)),
      "aria-label": say("alikeOne", { n: i + 1 }),
    });
    return button;
  };
  return { node, show, included: () => alike.filter(({ id }) => !left.has(id)) };
}
