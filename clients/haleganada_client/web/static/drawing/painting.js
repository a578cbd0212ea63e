// What is on the slate, as pixels.

import { drawStroke } from "./chalk.js";

const THUMBNAIL_PX = 96;

/**
 * @typedef {object} Look
 * @property {number} side  of the slate, CSS px
 * @property {number} penShare  thickness of the pen as a share of the side
 * @property {string} color
 */

/** Paint a picture and strokes.
 * @param {CanvasRenderingContext2D} context  whose unit is a CSS px of the slate
 * @param {import("./strokes.js").Content} content
 * @param {Look} look
 */
export function paint(context, { strokes, picture }, { side, penShare, color }) {
  if (picture) paintPicture(context, picture.ink, side);
  context.strokeStyle = color;
  context.lineWidth = penShare * side;
  for (const stroke of strokes) drawStroke(context, stroke);
}

/** Return a small picture of what is on the slate.
 * @param {import("./strokes.js").Content} content
 * @param {Look} look
 */
export function makeThumbnail(content, look) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = THUMBNAIL_PX;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(THUMBNAIL_PX / look.side, THUMBNAIL_PX / look.side);
  paint(context, content, look);
  return canvas;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {HTMLCanvasElement} image
 * @param {number} side  of the slate
 */
function paintPicture(context, image, side) {
  const ratio = side / Math.max(image.width, image.height);
  const [width, height] = [image.width * ratio, image.height * ratio];
  context.drawImage(image, (side - width) / 2, (side - height) / 2, width, height);
}
