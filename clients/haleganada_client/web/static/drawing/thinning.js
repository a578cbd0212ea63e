// Strokes as they are sent: without the points that the line between their neighbors passes anyway, and with no more digits than
// a pen has. Screens tell of a pen up to 240 times a second; a slow line need not.

import { measureDistance } from "./eraser.js";

const TOLERANCE = 0.0015; // how far a point may be from the line, as a share of the slate's side: less than a mouse's own steps

/** Return a stroke that looks the same, with fewer points. Its first and last point stay.
 * @param {Stroke} stroke
 * @param {number} side  of the slate, in the unit of the stroke
 * @returns {Stroke}
 */
export function thin(stroke, side) {
  const kept = findKept(stroke, TOLERANCE * side);
  /** @param {number[]} values
   * @param {number} parts  of a unit that count */
  const pick = (values, parts) => kept.map((i) => Math.round(values[i] * parts) / parts);
  const { x, y, time_ms: time, pressure } = stroke;
  const thinned = { x: pick(x, 10), y: pick(y, 10), time_ms: pick(time, 1) };
  return pressure ? { ...thinned, pressure: pick(pressure, 100) } : thinned;
}

/** Return the places of the points to keep, in their order. D. H. Douglas and T. K. Peucker, "Algorithms for the reduction of the
 * number of points required to represent a digitized line or its caricature", Cartographica 10 (1973).
 * @param {Stroke} stroke
 * @param {number} tolerance
 */
function findKept({ x, y }, tolerance) {
  const kept = new Set([0, x.length - 1]);
  const open = [[0, x.length - 1]];
  for (let part = open.pop(); part; part = open.pop()) {
    const [first, last] = part;
    let [farthest, most] = [0, tolerance];
    for (let i = first + 1; i < last; i++) {
      const distance = measureDistance({ x: x[i], y: y[i] }, x[first], y[first], x[last], y[last]);
      if (distance > most) [farthest, most] = [i, distance];
    }
    if (!farthest) continue;
    kept.add(farthest);
    open.push([first, farthest], [farthest, last]);
  }
  return [...kept].sort((a, b) => a - b);
}
