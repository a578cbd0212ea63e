// Parts of a page's picture, cut out around glyphs.

import { makeElement } from "../../../ui/dom.js";

/** @typedef {import("../glyphs.js").Glyph} Glyph */

const MARGIN = 0.35; // of the glyph's longer side, around it

/** Return what is drawn of a glyph: a square of the page in px, its left, top and side.
 * @param {Glyph} glyph
 */
export function findCrop({ box: [left, top, right, bottom] }) {
  const side = (1 + 2 * MARGIN) * Math.max(right - left, bottom - top, 1);
  return { left: (left + right - side) / 2, top: (top + bottom - side) / 2, side };
}

/** Build a canvas for crops.
 * @param {number} size  CSS px
 * @param {import("../../../ui/dom.js").Attributes} attributes
 */
export function buildCropCanvas(size, attributes = {}) {
  const pixels = Math.round(size * Math.min(2, devicePixelRatio));
  return makeElement("canvas", { width: pixels, height: pixels, class: "crop", "aria-hidden": "true", ...attributes });
}

/** Draw a glyph with what is around it, that dimmed; once the picture is there.
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLImageElement} picture  of the page
 * @param {number} width  of the page in px
 * @param {Glyph} glyph
 */
export function drawCrop(canvas, picture, width, glyph) {
  const { left, top, side } = findCrop(glyph);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const draw = () => {
    if (canvas.dataset.glyph !== String(glyph.id)) return; // another one has been drawn since
    const scale = picture.naturalWidth / width;
    const factor = canvas.width / side;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(
      picture,
      left * scale,
      top * scale,
      side * scale,
      side * scale,
      0,
      0,
      canvas.width,
      canvas.height,
    );
    context.fillStyle = "#ffffff80";
    const [x0, y0, x1, y1] = [glyph.box[0] - left, glyph.box[1] - top, glyph.box[2] - left, glyph.box[3] - top];
    const around = new Path2D();
    around.rect(0, 0, canvas.width, canvas.height);
    around.rect(x0 * factor, y0 * factor, (x1 - x0) * factor, (y1 - y0) * factor);
    context.fill(around, "evenodd");
  };
  canvas.dataset.glyph = String(glyph.id);
  if (picture.complete && picture.naturalWidth) draw();
  else picture.addEventListener("load", draw, { once: true });
}
