// Which strokes the eraser of a pen touches.

/** Return whether a place is on a stroke.
 * @param {Stroke} stroke
 * @param {{ x: number, y: number }} place
 * @param {number} reach  how far from its points and lines a stroke goes, in their unit
 */
export function isOnStroke({ x, y }, place, reach) {
  return x.some((_, i) => measureDistance(place, x[Math.max(0, i - 1)], y[Math.max(0, i - 1)], x[i], y[i]) <= reach);
}

/** Return the distance of a place from the line between two points.
 * @param {{ x: number, y: number }} place
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 */
export function measureDistance(place, x1, y1, x2, y2) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const along = ((place.x - x1) * dx + (place.y - y1) * dy) / (dx * dx + dy * dy || 1);
  const share = Math.min(1, Math.max(0, along));
  return Math.hypot(place.x - x1 - share * dx, place.y - y1 - share * dy);
}
