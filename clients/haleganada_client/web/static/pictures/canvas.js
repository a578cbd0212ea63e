// Canvases of pictures whose pixels are read.

/** Draw a picture with the longer side at most `side` px.
 * @param {ImageBitmap | HTMLImageElement} image
 * @param {number} side
 */
export function drawWithin(image, side) {
  const ratio = Math.min(1, side / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.width * ratio));
  canvas.height = Math.max(1, Math.round(image.height * ratio));
  const pen = getPixelContext(canvas);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** Return the context of a canvas whose pixels are read.
 * @param {HTMLCanvasElement} canvas
 */
export const getPixelContext = (canvas) =>
  /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
