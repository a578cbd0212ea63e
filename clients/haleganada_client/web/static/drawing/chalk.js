// Strokes on a canvas, as smooth curves through the very points that are sent: a slow device reports few of them.

/** Draw a stroke in the context's color and width. Pressure does not show, because it does not count: the same letter from
 * a mouse and from a pen looks the same.
 * @param {CanvasRenderingContext2D} context
 * @param {Stroke} stroke
 */
export function drawStroke(context, { x, y }) {
  const last = x.length - 1;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(x[0], y[0]);
  if (!last) context.lineTo(x[0] + 0.01, y[0]); // a dot
  for (let i = 0; i < last; i++) {
    const [before, after] = [Math.max(0, i - 1), Math.min(last, i + 2)];
    const gaps = [measureGap(x, y, before, i), measureGap(x, y, i, i + 1), measureGap(x, y, i + 1, after)];
    const bend = (/** @type {number[]} */ c) => computeControls(c[before], c[i], c[i + 1], c[after], gaps);
    const [[x1, x2], [y1, y2]] = [bend(x), bend(y)];
    context.bezierCurveTo(x1, y1, x2, y2, x[i + 1], y[i + 1]);
  }
  context.stroke();
}

/** Return the square root of the distance between two points: with it the curve has neither cusps nor loops.
 * @param {number[]} x
 * @param {number[]} y
 * @param {number} i
 * @param {number} j
 */
const measureGap = (x, y, i, j) => Math.sqrt(Math.hypot(x[j] - x[i], y[j] - y[i]));

/** Return one coordinate of both control points of the curve from b to c: a centripetal Catmull-Rom spline as Bézier.
 * @param {number} a  the point before
 * @param {number} b
 * @param {number} c
 * @param {number} d  the point after
 * @param {number[]} gaps  between these four
 */
function computeControls(a, b, c, d, [before, own, after]) {
  return [steer(a, b, c, before, own), steer(d, c, b, after, own)];
}

/**
 * @param {number} behind
 * @param {number} at  where the curve is steered
 * @param {number} ahead
 * @param {number} gap  from behind to at
 * @param {number} next  from at to ahead
 */
function steer(behind, at, ahead, gap, next) {
  if (!gap) return at;
  const weighted = gap ** 2 * ahead - next ** 2 * behind + (2 * gap ** 2 + 3 * gap * next + next ** 2) * at;
  return weighted / (3 * gap * (gap + next));
}
