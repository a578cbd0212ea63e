// The current glyph, enlarged. A line that is drawn across it divides it, with a finger, too.

import { makeElement } from "../../../ui/dom.js";
import { makeShape } from "../../sheet.js";
import { buildCropCanvas, drawCrop, findCrop } from "./crops.js";
import { crossGlyph } from "../input/cut.js";

/**
 * @typedef {import("../glyphs.js").Glyph} Glyph
 * @typedef {import("../input/cut.js").Point} Point
 */

const SIDE_PX = 168;

/** Build the picture of a glyph; show() fills it.
 * @param {HTMLImageElement} picture  of the page
 * @param {number} width  of the page in px
 * @param {(glyph: Glyph, line: [Point, Point]) => void} onCut
 */
export function buildEnlarged(picture, width, onCut) {
  /** @type {Glyph | null} */
  let glyph = null;
  const canvas = buildCropCanvas(SIDE_PX);
  const line = makeShape("path", { class: "glyphs cut", d: "" });
  const overlay = makeShape("svg", { "aria-hidden": "true" });
  overlay.append(line);

  const show = (/** @type {Glyph} */ shown) => {
    glyph = shown;
    const { left, top, side } = findCrop(shown);
    overlay.setAttribute("viewBox", [left, top, side, side].join(" "));
    drawCrop(canvas, picture, width, shown);
  };
  const showCut = (/** @type {Point[] | null} */ cut) =>
    line.setAttribute("d", cut ? `M${cut[0].join(" ")}L${cut[1].join(" ")}` : "");

  const locate = (/** @type {PointerEvent} */ event) => {
    const { left, top, width: shownWidth } = overlay.getBoundingClientRect();
    const crop = findCrop(/** @type {Glyph} */ (glyph));
    const scale = crop.side / shownWidth;
    return /** @type {Point} */ ([
      crop.left + (event.clientX - left) * scale,
      crop.top + (event.clientY - top) * scale,
    ]);
  };
  overlay.addEventListener("pointerdown", (down) => {
    if (!glyph || down.button) return;
    const [cutGlyph, begin, over] = [glyph, locate(down), new AbortController()];
    const { signal } = over;
    overlay.setPointerCapture(down.pointerId);
    overlay.addEventListener("pointermove", (event) => showCut([begin, locate(event)]), { signal });
    const end = (/** @type {PointerEvent} */ event) => {
      over.abort();
      showCut(null);
      const cut = event.type === "pointerup" && crossGlyph(cutGlyph, begin, locate(event));
      if (cut) onCut(cutGlyph, cut);
    };
    overlay.addEventListener("pointerup", end, { signal });
    overlay.addEventListener("pointercancel", end, { signal });
  });
  return { node: makeElement("div", { class: "enlarged" }, canvas, overlay), show, showCut };
}
