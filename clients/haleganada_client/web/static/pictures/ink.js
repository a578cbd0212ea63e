// A picture as chalk on the slate: only its ink, whatever its paper is. The server finds the ink by itself, and more
// carefully; this is only for the eye.

import { drawWithin, getPixelContext } from "./canvas.js";

const SIDE = 640; // px of the longer side
const CELLS = 10; // across a picture, for the brightness of its paper
const EVEN = 14; // gray levels from the paper's tone that are still paper
const LEAST_CONTRAST = 24; // gray levels
const PAPER_RANK = 0.85; // of a cell's pixels by brightness, the one that is paper: most of a cell may be ink

/** @typedef {{ width: number, height: number, values: Float32Array }} Gray  values: 0 black to 255 white, row by row. */

/** Paint the ink of a picture, and nothing where its paper is. A picture without ink is painted as it is.
 * @param {HTMLImageElement} image
 * @param {string} color  of the ink
 */
export function paintInk(image, color) {
  const canvas = drawWithin(image, SIDE);
  const pen = getPixelContext(canvas);
  const pixels = pen.getImageData(0, 0, canvas.width, canvas.height);
  const ink = findInk(putOnPaper(pixels));
  if (!ink) return canvas;
  ink.forEach((share, i) => {
    pixels.data[4 * i + 3] = 255 * share;
  });
  pen.putImageData(pixels, 0, 0);
  pen.globalCompositeOperation = "source-in";
  pen.fillStyle = color;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  return canvas;
}

/** Return the gray values of a picture, its transparent parts as paper that contrasts with what is drawn.
 * @param {ImageData} pixels
 * @returns {Gray}
 */
function putOnPaper({ width, height, data }) {
  const values = new Float32Array(width * height);
  let [drawn, dark] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    values[i] = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
    drawn += data[4 * i + 3];
    if (values[i] < 128) dark += data[4 * i + 3];
  }
  const paper = dark >= 0.1 * drawn ? 255 : 0;
  const put = (/** @type {number} */ value, /** @type {number} */ i) => {
    const share = data[4 * i + 3] / 255;
    return share * value + (1 - share) * paper;
  };
  return { width, height, values: values.map(put) };
}

/** Return how much of each pixel is ink, 0 to 1; null for a picture without ink.
 * @param {Gray} gray
 */
function findInk(gray) {
  const tone = findEvenTone(gray);
  const paper = tone === null ? estimatePaper(gray) : () => tone;
  const away = gray.values.map((value, i) => paper(i) - value);
  const isDark = sumOfSquares(away, 1) >= sumOfSquares(away, -1);
  const departures = away.map((value) => Math.max(0, isDark ? value : -value));
  const strongest = pickRank(departures, 0.998);
  if (strongest < LEAST_CONTRAST) return null;
  const floor = Math.max(EVEN, 0.25 * strongest);
  const full = Math.max(floor + 1, 0.6 * strongest);
  return departures.map((value) => Math.min(1, Math.max(0, (value - floor) / (full - floor))));
}

/** Return the tone of the paper where the border of the picture shows one tone nearly everywhere; else null.
 * @param {Gray} gray
 */
function findEvenTone({ width, height, values }) {
  const border = values.filter((_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return x === 0 || y === 0 || x === width - 1 || y === height - 1;
  });
  const tone = pickRank(border, 0.5);
  const paper = border.filter((value) => Math.abs(value - tone) <= EVEN).length;
  return paper >= 0.8 * border.length ? tone : null;
}

/** Return what tells the brightness of the paper at each pixel of a photo, whose light is uneven.
 * @param {Gray} gray
 */
function estimatePaper({ width, height, values }) {
  const cell = Math.ceil(Math.max(width, height) / CELLS);
  const columns = Math.ceil(width / cell);
  /** @type {number[][]} */
  const inside = Array.from({ length: columns * Math.ceil(height / cell) }, () => []);
  const findCell = (/** @type {number} */ i) =>
    Math.floor(Math.floor(i / width) / cell) * columns + Math.floor((i % width) / cell);
  values.forEach((value, i) => inside[findCell(i)].push(value));
  const tones = inside.map((those) => pickRank(those, PAPER_RANK));
  const rows = tones.length / columns;
  return (/** @type {number} */ i) => {
    const x = (i % width) / cell - 0.5;
    const y = Math.floor(i / width) / cell - 0.5;
    return interpolate(tones, columns, rows, Math.max(0, x), Math.max(0, y));
  };
}

/**
 * @param {number[]} tones  of cells, row by row
 * @param {number} columns
 * @param {number} rows
 * @param {number} x  in cells
 * @param {number} y
 */
function interpolate(tones, columns, rows, x, y) {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, bottom] = [Math.min(columns - 1, left + 1), Math.min(rows - 1, top + 1)];
  const mix = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ share) =>
    from + (to - from) * share;
  const above = mix(tones[top * columns + left], tones[top * columns + right], x - left);
  const below = mix(tones[bottom * columns + left], tones[bottom * columns + right], x - left);
  return mix(above, below, y - top);
}

/**
 * @param {Float32Array} values
 * @param {1 | -1} sign  of those that count
 */
const sumOfSquares = (values, sign) =>
  values.reduce((sum, value) => (value * sign > EVEN ? sum + value * value : sum), 0);

/** Return the value below which a share of the values lies.
 * @param {ArrayLike<number>} values
 * @param {number} share  0 to 1
 */
function pickRank(values, share) {
  const sorted = Float32Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
