// The slate: what is drawn, and every state that it had, so that nothing drawn is lost by Clear or by teaching. It keeps
// strokes, never pixels, so that any screen will do. What it shows is what is sent: whatever else changes it while a stroke
// is under way ends that stroke first. Pens draw on it: pointer_pen.js and key_pen.js.

import { makePicture, readPicture } from "../pictures/read.js";
import { isOnStroke } from "./eraser.js";
import { History } from "./history.js";
import { makeThumbnail, paint } from "./painting.js";
import { EMPTY, OpenStroke, scale } from "./strokes.js";
import { thin } from "./thinning.js";

const ERASER_SHARE = 0.03; // how far the eraser reaches, as a share of the slate's side

/**
 * @typedef {import("./strokes.js").Content} Content
 * @typedef {import("./strokes.js").Point} Point
 */

/** A slate to draw on. Dispatches "stroke" at pen up, "change" at any change. */
export class Board extends EventTarget {
  #canvas;
  #context;
  #penShare;
  #history = new History(EMPTY);
  /** @type {OpenStroke | null} */
  #open = null;
  #began = 0; // ms, when the drawing began
  #side = 0; // CSS px
  #asked = 0; // pictures so far

  /** Grows with every change. */
  version = 0;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {number} penShare  thickness of the pen as a share of the slate's side
   */
  constructor(canvas, penShare) {
    super();
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.#penShare = penShare;
    new ResizeObserver(() => this.#fit()).observe(canvas);
    this.#fit();
  }

  get isEmpty() {
    const { strokes, picture } = this.content;
    return strokes.length === 0 && !picture;
  }

  get canUndo() {
    return this.#history.canUndo;
  }

  get canRedo() {
    return this.#history.canRedo;
  }

  /** Whether a stroke is under way. */
  get isBusy() {
    return this.#open !== null;
  }

  /** What is on the slate now, for remove() and restore(). */
  get content() {
    return this.#history.present;
  }

  /** Return what is sent: strokes in CSS px of the canvas, or a chosen picture as a data URL.
   * @returns {Drawing}
   */
  drawing() {
    const { picture, strokes } = this.content;
    if (picture) return { image: picture.source };
    const side = this.#side;
    return {
      ink: {
        width: side,
        height: side,
        pen_width: this.#penShare * side,
        strokes: strokes.map((one) => thin(one, side)),
      },
    };
  }

  /** Return a small picture of what is on the slate. */
  makeThumbnail() {
    return makeThumbnail(this.content, this.#look);
  }

  /** End a stroke that is under way, so that what is sent next is whole. */
  finish() {
    if (!this.#open) return;
    this.#close();
    this.version++;
    this.#dispatch("stroke");
  }

  /** Empty the slate. */
  clear() {
    if (!this.isEmpty) this.#replace(EMPTY);
  }

  /** Remove what was there before; a stroke that was begun since stays.
   * @param {Content} content
   */
  remove({ strokes, picture }) {
    if (this.isEmpty) return;
    const now = this.content;
    if (this.#open && strokes.includes(this.#open.stroke)) this.#close();
    this.#become({
      strokes: now.strokes.filter((stroke) => !strokes.includes(stroke)),
      picture: now.picture === picture ? null : now.picture,
    });
  }

  /** Put back what was removed, unless something else has been drawn since.
   * @param {Content} content
   */
  restore(content) {
    if (!this.isEmpty) return;
    this.#replace(content);
    this.#dispatch("stroke");
  }

  /** Return to the state before the last stroke, picture or clearing. */
  undo() {
    this.#close();
    if (this.#history.undo()) this.#changeAtOnce();
  }

  /** Return to the state that was undone last. */
  redo() {
    this.#close();
    if (this.#history.redo()) this.#changeAtOnce();
  }

  /** Change the thickness of all strokes.
   * @param {number} share  of the slate's side
   */
  setPen(share) {
    this.#penShare = share;
    this.#change();
  }

  /** Show a picture instead of strokes, as ink. Resolves to null if another was asked for meanwhile; rejects if the
   * file is none.
   * @param {File} file
   */
  async show(file) {
    const mine = ++this.#asked;
    const picture = await makePicture(await readPicture(file), getComputedStyle(this.#canvas).color);
    if (mine !== this.#asked) return null;
    this.#replace({ strokes: [], picture });
    this.#dispatch("stroke");
    return picture;
  }

  /** Begin a stroke, unless one is under way.
   * @param {unknown} pen  who draws it
   * @param {Point} point
   * @param {boolean} hasPressure  whether the pen tells it
   */
  begin(pen, point, hasPressure = false) {
    if (this.#open) return;
    const { strokes, picture } = this.content;
    const earlier = picture ? [] : strokes;
    if (earlier.length === 0) this.#began = point.time;
    this.#open = new OpenStroke(pen, this.#began, hasPressure);
    this.#open.add(point);
    this.#become({ strokes: [...earlier, this.#open.stroke], picture: null });
  }

  /** Add points to the stroke under way.
   * @param {Point[]} points
   */
  extend(points) {
    for (const point of points) this.#open?.add(point);
    this.redraw();
  }

  /** Return whether a pen draws the stroke under way.
   * @param {unknown} pen
   */
  isDrawing(pen) {
    return this.#open !== null && this.#open.pen === pen;
  }

  /** Take away the strokes that the eraser touches. Returns whether there were any; tellStroke() once it is lifted.
   * @param {Point[]} places
   */
  erase(places) {
    const reach = Math.max(this.#penShare / 2, ERASER_SHARE) * this.#side;
    const { strokes, picture } = this.content;
    const left = strokes.filter((stroke) => !places.some((place) => isOnStroke(stroke, place, reach)));
    if (left.length === strokes.length) return false;
    this.#become({ strokes: left, picture });
    return true;
  }

  /** Tell that something is drawn, or erased, for now. */
  tellStroke() {
    this.#dispatch("stroke");
  }

  /** Return a point of a pen that knows no px.
   * @param {number} x  share of the slate's side, 0 to 1
   * @param {number} y
   * @param {number} time  ms, as in events
   * @returns {Point}
   */
  locate(x, y, time) {
    return { x: x * this.#side, y: y * this.#side, time, pressure: 0 };
  }

  /** Return what is on the slate in a form that can be kept as JSON. */
  pack() {
    const { strokes, picture } = this.content;
    return { side: this.#side, strokes, image: picture?.source ?? null };
  }

  /** Put on the empty slate what pack() returned, on a slate of any size. Rejects if the picture cannot be shown.
   * @param {{ side: number, strokes: Stroke[], image: string | null }} packed
   */
  async unpack({ side, strokes, image }) {
    const content = { strokes, picture: image ? await makePicture(image, getComputedStyle(this.#canvas).color) : null };
    if (strokes.length === 0 && !image) return;
    scale([content], this.#side / side);
    this.restore(content);
  }

  /** Draw everything anew, in the colors of the theme. */
  redraw() {
    this.#context.clearRect(0, 0, this.#side, this.#side);
    paint(this.#context, this.content, this.#look);
  }

  /** @returns {import("./painting.js").Look} */
  get #look() {
    return { side: this.#side, penShare: this.#penShare, color: getComputedStyle(this.#canvas).color };
  }

  /** Go on to a state that is not what the stroke under way draws.
   * @param {Content} state
   */
  #replace(state) {
    this.#close();
    this.#become(state);
  }

  /** @param {Content} state */
  #become(state) {
    this.#history.push(state);
    this.#change();
  }

  #changeAtOnce() {
    this.#change();
    this.#dispatch("stroke");
  }

  #change() {
    this.version++;
    this.redraw();
    this.#dispatch("change");
  }

  /** @param {"stroke" | "change"} name */
  #dispatch(name) {
    this.dispatchEvent(new Event(name));
  }

  // The slate is square; what is on it grows and shrinks with it.
  #fit() {
    const side = this.#canvas.clientWidth;
    const ratio = window.devicePixelRatio || 1;
    if (!side) return;
    if (this.#side && side !== this.#side) scale(this.#history.states, side / this.#side);
    this.#side = side;
    this.#canvas.width = this.#canvas.height = Math.round(side * ratio);
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.redraw();
  }

  /** Let nothing more be added to the stroke under way. */
  #close() {
    this.#open?.close();
    this.#open = null;
  }
}
