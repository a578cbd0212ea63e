// The boxes around glyphs: one path for all that look alike, so that thousands cost no more than a few.

import { makeShape } from "../../sheet.js";

/** @typedef {import("../glyphs.js").Glyph} Glyph */

const STATES = /** @type {const} */ (["sure", "settled", "unsure", "unknown"]);
const MARKS = /** @type {const} */ (["alike", "picked", "changed", "current"]);
const ROOM = 0.12; // around what is marked, so that its outline hides no ink
const FLASH_MS = 1600; // as long as the style sheet fades what has changed

/** Build the boxes of a page on an overlay.
 * @param {SVGElement} overlay
 */
export function buildBoxes(overlay) {
  const layers = Object.fromEntries(
    [...STATES, ...MARKS, "cut"].map((name) => [name, makeShape("path", { class: `glyphs ${name}`, d: "" })]),
  );
  overlay.append(...Object.values(layers));
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let fading;

  const draw = (/** @type {Glyph[]} */ glyphs) => {
    for (const state of STATES) outline(layers[state], glyphs.filter((glyph) => glyph.state === state)); // prettier-ignore
  };
  const mark = (/** @type {typeof MARKS[number]} */ name, /** @type {Glyph[]} */ glyphs) =>
    outline(layers[name], glyphs, ROOM);
  const flash = (/** @type {Glyph[]} */ glyphs) => {
    clearTimeout(fading);
    const again = /** @type {SVGPathElement} */ (layers.changed.cloneNode()); // its animation begins anew
    layers.changed.replaceWith(again);
    layers.changed = again;
    mark("changed", glyphs);
    fading = setTimeout(() => mark("changed", []), FLASH_MS);
  };
  const showCut = (/** @type {[number, number][] | null} */ line) =>
    layers.cut.setAttribute("d", line ? `M${line[0].join(" ")}L${line[1].join(" ")}` : "");
  return { draw, mark, flash, showCut };
}

/**
 * @param {SVGPathElement} layer
 * @param {Glyph[]} glyphs
 * @param {number} room  between the ink and its outline, in shares of the glyph's shorter side
 */
const outline = (layer, glyphs, room = 0) =>
  layer.setAttribute("d", glyphs.map((glyph) => `M${widen(glyph, room).join("L")}Z`).join(""));

/** Return a glyph's corners, moved apart.
 * @param {Glyph} glyph
 * @param {number} room
 */
function widen({ polygon, box: [left, top, right, bottom] }, room) {
  const away = room * Math.min(right - left, bottom - top);
  const [x0, y0] = [(left + right) / 2, (top + bottom) / 2];
  return polygon.map(([x, y]) => `${x + away * Math.sign(x - x0)} ${y + away * Math.sign(y - y0)}`);
}
