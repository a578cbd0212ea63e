// Mouse, pen and finger on the scan: a click chooses a glyph, a line across one divides it, a drag to others joins them.
// Beside the glyphs, the mouse pans; fingers scroll and zoom until they are asked for a cut.

import { crossGlyph } from "./cut.js";
import { findAt } from "../glyphs.js";

const DRAG_PX = 5; // less than that is a click
const REACH_PX = { mouse: 6, touch: 16, pen: 10 }; // around a box that still belongs to it

/**
 * @typedef {import("../glyphs.js").Glyph} Glyph
 * @typedef {import("./cut.js").Point} Point
 */

/**
 * @typedef {object} GestureActions
 * @property {() => Glyph[]} glyphs
 * @property {() => Glyph | null} cutting  the glyph that is to be cut, if a cut was asked for
 * @property {(index: number, more: boolean) => void} onChoose  more: as well as what is chosen
 * @property {(line: [Point, Point] | null) => void} onCutDrawn  shows where a cut would be
 * @property {(glyphs: Glyph[]) => void} onJoinDrawn  shows what would be joined
 * @property {(glyph: Glyph, line: [Point, Point]) => void} onCut
 * @property {(glyphs: Glyph[]) => void} onJoin
 */

/** Listen to what is done on a scan.
 * @param {import("../../sheet.js").Sheet} sheet
 * @param {GestureActions} actions
 */
export function listenToGestures({ overlay, frame, getScale }, actions) {
  let wasDragged = false;

  const locate = (/** @type {MouseEvent} */ event) => {
    const { left, top } = overlay.getBoundingClientRect();
    return /** @type {Point} */ ([(event.clientX - left) / getScale(), (event.clientY - top) / getScale()]);
  };
  const find = (/** @type {PointerEvent} */ event) => {
    const reach = REACH_PX[/** @type {"mouse"} */ (event.pointerType)] ?? REACH_PX.mouse;
    return findAt(actions.glyphs(), locate(event), reach / getScale());
  };

  overlay.addEventListener("click", (event) => {
    const index = find(/** @type {PointerEvent} */ (event));
    if (index >= 0 && !wasDragged) actions.onChoose(index, event.shiftKey);
  });
  overlay.addEventListener("pointerdown", (event) => {
    wasDragged = false;
    const from = find(event);
    const isCut = Boolean(actions.cutting());
    if (event.button || (!isCut && (from < 0 || event.pointerType === "touch"))) return; // the frame pans
    event.stopPropagation();
    event.preventDefault();
    frame.focus({ preventScroll: true });
    follow(event, from);
  });

  /** Follow a pointer until it is lifted.
   * @param {PointerEvent} down
   * @param {number} from  the glyph on which it was put down
   */
  function follow(down, from) {
    const over = new AbortController();
    const begin = locate(down);
    overlay.setPointerCapture(down.pointerId);
    const show = (/** @type {PointerEvent} */ event) => {
      wasDragged ||= Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > DRAG_PX;
      const drawn = wasDragged ? interpret(from, begin, event) : {};
      actions.onCutDrawn(drawn.joined || !wasDragged ? null : [begin, locate(event)]);
      actions.onJoinDrawn(drawn.joined ?? []);
      return drawn;
    };
    const end = () => {
      over.abort();
      actions.onCutDrawn(null);
      actions.onJoinDrawn([]);
    };
    const { signal } = over;
    overlay.addEventListener("pointermove", show, { signal });
    overlay.addEventListener("pointercancel", end, { signal });
    frame.addEventListener("keydown", (event) => event.key === "Escape" && end(), { signal });
    overlay.addEventListener(
      "pointerup",
      (event) => {
        const { joined, cut, glyph } = show(event);
        end();
        if (joined) actions.onJoin(joined);
        else if (cut && glyph) actions.onCut(glyph, cut);
      },
      { signal },
    );
  }

  /** Return what a drag means: glyphs to join, or a glyph and its cut; nothing if it is none of both.
   * @param {number} from
   * @param {Point} begin
   * @param {PointerEvent} event
   * @returns {{ joined?: Glyph[], cut?: [Point, Point] | null, glyph?: Glyph }}
   */
  function interpret(from, begin, event) {
    const glyphs = actions.glyphs();
    const asked = actions.cutting();
    const to = findAt(glyphs, locate(event));
    if (!asked && to >= 0 && to !== from) {
      return glyphs[from].line === glyphs[to].line
        ? { joined: glyphs.slice(Math.min(from, to), Math.max(from, to) + 1) }
        : {};
    }
    const glyph = asked ?? glyphs[from];
    return { glyph, cut: crossGlyph(glyph, begin, locate(event)) };
  }
}
