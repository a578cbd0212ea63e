// Files of pictures -> what is sent, a data URL, and what the slate shows.

import { MAX_IMAGE_PIXELS } from "../server/limits.js";
import { drawWithin, getPixelContext } from "./canvas.js";
import { paintInk } from "./ink.js";

/** @typedef {{ source: string, ink: HTMLCanvasElement }} Picture  source: a data URL; ink: how the slate shows it. */

const SENT_TYPES = ["image/png", "image/jpeg", "image/webp"]; // others are sent as one of these, if the browser reads them
const MOST_BYTES = 4 * 2 ** 20; // larger files are made smaller before they are sent
const MOST_SIDE_PX = 1600; // of a picture that was made smaller
const LEAST_SIDE_PX = 256;

/** Return whether a file claims to be a picture of pixels.
 * @param {File} file
 */
export const isPicture = ({ type }) => type.startsWith("image/") && !type.startsWith("image/svg");

/** Return a picture as a data URL. Rejects if the file is none.
 * @param {File} file
 * @returns {Promise<string>}
 */
export async function readPicture(file) {
  const bitmap = await createImageBitmap(file); // the first frame, turned upright as its EXIF says
  const isSmall = file.size <= MOST_BYTES && bitmap.width * bitmap.height <= MAX_IMAGE_PIXELS;
  const source = isSmall && SENT_TYPES.includes(file.type) ? await readAsDataUrl(file) : encodeSmaller(bitmap);
  bitmap.close();
  return source;
}

/** Make a picture for the slate. Rejects if the data URL is none.
 * @param {string} source
 * @param {string} color  of the ink
 * @returns {Promise<Picture>}
 */
export async function makePicture(source, color) {
  const image = new Image();
  image.src = source;
  await image.decode();
  return { source, ink: paintInk(image, color) };
}

/** Encode a picture so small that it can be sent. JPEG has no transparency, so it is for pictures without.
 * @param {ImageBitmap} bitmap
 */
function encodeSmaller(bitmap) {
  for (let side = MOST_SIDE_PX; ; side /= 1.5) {
    const canvas = drawWithin(bitmap, side);
    const source = isOpaque(canvas) ? canvas.toDataURL("image/jpeg", 0.92) : canvas.toDataURL("image/png");
    if (source.length <= (MOST_BYTES * 4) / 3 || side < LEAST_SIDE_PX) return source;
  }
}

/** @param {HTMLCanvasElement} canvas */
function isOpaque(canvas) {
  const { data } = getPixelContext(canvas).getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 3; i < data.length; i += 4) if (data[i] < 255) return false;
  return true;
}

/**
 * @param {File} file
 * @returns {Promise<string>}
 */
function readAsDataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
