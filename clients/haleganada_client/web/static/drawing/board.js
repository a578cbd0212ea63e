// The slate: pointer events to strokes, strokes to pixels. It keeps strokes, never pixels, so that any screen will do,
// and every state it had, so that nothing drawn is lost by Clear or by teaching. What it shows is what is sent: whatever
// else changes it while a stroke is under way ends that stroke first. A pen that is no pointer (key_pen.js) draws the same
// strokes with penDown, penMove and penUp.

import { makePicture, readPicture } from "../pictures/read.js";
import { drawStroke } from "./chalk.js";
import { isOnStroke } from "./eraser.js";
import { History } from "./history.js";

const TIP = 1; // in PointerEvent.buttons: a mouse's left button, a finger, the tip of a pen
const ERASER = 32;
const ERASER_SHARE = 0.03; // how far the eraser reaches, as a share of the slate's side
const THUMBNAIL_PX = 96;
const NO_POINTER = null; // the id of the pen that penDown puts down

/**
 * @typedef {import("../pictures/read.js").Picture} Picture
 * @typedef {{ strokes: Stroke[], picture: Picture | null }} State  What is on the slate.
 * @typedef {{ x: number, y: number, time: number, pressure: number }} Point  In CSS px and ms.
 * @typedef {{ id: number | null, isPen: boolean, stroke: Required<Stroke> }} OpenStroke  id: of the pointer.
 * @typedef {{ id: number, hasErased: boolean }} Erasing  id: of the pointer.
 */

/** @type {State} */
const EMPTY = { strokes: [], picture: null };

/** A slate to draw on. Dispatches "stroke" at pen up, "change" at any change. */
export class Board extends EventTarget {
  #canvas;
  #context;
  #penShare;
  #history = new History(EMPTY);
  /** @type {OpenStroke | null} */
  #open = null;
  /** @type {Erasing | null} */
  #erasing = null;
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
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => this.#up(event));
    canvas.addEventListener("lostpointercapture", (event) => this.#up(event));
    canvas.addEventListener("contextmenu", (event) => {
      if (/** @type {PointerEvent} */ (event).pointerType !== "mouse") event.preventDefault();
    });
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

  /** Whether the pen that is no pointer is down. */
  get isPenDown() {
    return this.#open?.id === NO_POINTER;
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
      ink: { width: side, height: side, pen_width: this.#penShare * side, strokes: strokes.map((one) => ({ ...one })) },
    };
  }

  /** Return a small picture of what is on the slate. */
  makeThumbnail() {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = THUMBNAIL_PX;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.scale(THUMBNAIL_PX / this.#side, THUMBNAIL_PX / this.#side);
    this.#paint(context);
    return canvas;
  }

  /** End a stroke that is under way, so that what is sent next is whole. */
  finish() {
    if (this.#open) this.#end();
  }

  /** Empty the slate. */
  clear() {
    if (!this.isEmpty) this.#replace(EMPTY);
  }

  /** Remove what was there before; a stroke that was begun since stays.
   * @param {State} content
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
   * @param {State} content
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

  /** Put down a pen that is no pointer.
   * @param {number} x  share of the slate's side, 0 to 1
   * @param {number} y
   * @param {number} time  ms, as in events
   */
  penDown(x, y, time) {
    if (!this.#open) this.#begin(NO_POINTER, false, this.#placePoint(x, y, time));
  }

  /** Move that pen.
   * @param {number} x  share of the slate's side, 0 to 1
   * @param {number} y
   * @param {number} time  ms, as in events
   */
  penMove(x, y, time) {
    if (this.#open && this.isPenDown) this.#extend(this.#open, [this.#placePoint(x, y, time)]);
  }

  /** Lift that pen. */
  penUp() {
    if (this.isPenDown) this.finish();
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
    this.#paint(this.#context);
  }

  /** Go on to a state that is not what the stroke under way draws.
   * @param {State} state
   */
  #replace(state) {
    this.#close();
    this.#become(state);
  }

  /** @param {State} state */
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

  /** @param {PointerEvent} event */
  #down(event) {
    if (this.#open?.id === event.pointerId) this.finish(); // its pen up got lost
    if (this.#open || this.#erasing) return;
    const isEraser = event.pointerType === "pen" && (event.button === 5 || Boolean(event.buttons & ERASER));
    if (!isEraser && !isTip(event)) return;
    event.preventDefault();
    this.#canvas.focus({ preventScroll: true });
    this.#capture(event.pointerId);
    if (isEraser) {
      this.#erasing = { id: event.pointerId, hasErased: false };
      this.#erase(this.#erasing, [event]);
    } else {
      this.#begin(event.pointerId, event.pointerType === "pen", this.#makePoint(event));
    }
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const between = event.getCoalescedEvents?.() ?? [];
    const events = between.length ? between : [event];
    if (event.pointerId === this.#erasing?.id) {
      this.#erase(this.#erasing, events);
    } else if (this.#open && event.pointerId === this.#open.id) {
      const points = events.map((one) => this.#makePoint(one));
      if (isStillDown(event)) this.#extend(this.#open, points);
      else this.finish();
    }
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (this.#open && event.pointerId === this.#open.id) this.finish();
    if (event.pointerId !== this.#erasing?.id) return;
    const { hasErased } = this.#erasing;
    this.#erasing = null;
    if (hasErased) this.#dispatch("stroke");
  }

  /** Follow a pointer beyond the slate. One that has left already cannot be followed, and still has drawn a dot.
   * @param {number} id
   */
  #capture(id) {
    try {
      this.#canvas.setPointerCapture(id);
    } catch (error) {
      if (error.name !== "NotFoundError") throw error;
    }
  }

  /** Take away the strokes that the eraser touches.
   * @param {Erasing} erasing
   * @param {PointerEvent[]} events
   */
  #erase(erasing, events) {
    const reach = Math.max(this.#penShare / 2, ERASER_SHARE) * this.#side;
    const places = events.map((event) => this.#makePoint(event));
    const { strokes, picture } = this.content;
    const left = strokes.filter((stroke) => !places.some((place) => isOnStroke(stroke, place, reach)));
    if (left.length === strokes.length) return;
    erasing.hasErased = true;
    this.#become({ strokes: left, picture });
  }

  /**
   * @param {number | null} id  of the pointer
   * @param {boolean} isPen
   * @param {Point} point
   */
  #begin(id, isPen, point) {
    const { strokes, picture } = this.content;
    const earlier = picture ? [] : strokes;
    if (earlier.length === 0) this.#began = point.time;
    this.#open = { id, isPen, stroke: { x: [], y: [], time_ms: [], pressure: [] } };
    this.#add(this.#open.stroke, point);
    this.#become({ strokes: [...earlier, this.#open.stroke], picture: null });
  }

  /**
   * @param {OpenStroke} open
   * @param {Point[]} points
   */
  #extend({ stroke }, points) {
    for (const point of points) this.#add(stroke, point);
    this.redraw();
  }

  #end() {
    this.#close();
    this.version++;
    this.#dispatch("stroke");
  }

  /** Let nothing more be added to the stroke under way. */
  #close() {
    if (this.#open && !this.#open.isPen) delete (/** @type {Stroke} */ (this.#open.stroke).pressure); // a mouse has none
    this.#open = null;
  }

  /**
   * @param {PointerEvent} event
   * @returns {Point}
   */
  #makePoint(event) {
    const box = this.#canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top, time: event.timeStamp, pressure: event.pressure };
  }

  /**
   * @param {number} x  share of the slate's side
   * @param {number} y
   * @param {number} time
   * @returns {Point}
   */
  #placePoint(x, y, time) {
    return { x: x * this.#side, y: y * this.#side, time, pressure: 0 };
  }

  /**
   * @param {Required<Stroke>} stroke
   * @param {Point} point
   */
  #add(stroke, { x, y, time, pressure }) {
    stroke.x.push(roundToTenth(x));
    stroke.y.push(roundToTenth(y));
    stroke.time_ms.push(Math.max(0, roundToTenth(time - this.#began)));
    stroke.pressure.push(Math.min(1, Math.max(0, pressure)));
  }

  /** @param {CanvasRenderingContext2D} context  whose unit is a CSS px of the slate */
  #paint(context) {
    const { strokes, picture } = this.content;
    if (picture) this.#drawPicture(context, picture.ink);
    context.strokeStyle = getComputedStyle(this.#canvas).color;
    context.lineWidth = this.#penShare * this.#side;
    for (const stroke of strokes) drawStroke(context, stroke);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {HTMLCanvasElement} image
   */
  #drawPicture(context, image) {
    const ratio = this.#side / Math.max(image.width, image.height);
    const [width, height] = [image.width * ratio, image.height * ratio];
    context.drawImage(image, (this.#side - width) / 2, (this.#side - height) / 2, width, height);
  }
}

/** Return whether an event puts down what draws, not a pen's barrel button, its eraser or another button of a mouse.
 * @param {PointerEvent} event
 */
const isTip = ({ button, buttons }) => button === 0 && !(buttons & ~TIP);

/** Return whether what draws is still down, and nothing else. A mouse may have been let go where no event tells of it.
 * @param {PointerEvent} event
 */
const isStillDown = ({ pointerType, buttons }) => !(buttons & ~TIP) && (buttons === TIP || pointerType !== "mouse");

/** @param {number} value */
const roundToTenth = (value) => Math.round(value * 10) / 10;

/** Scale what states show. They share strokes; each stroke is scaled once.
 * @param {State[]} states
 * @param {number} ratio
 */
function scale(states, ratio) {
  for (const stroke of new Set(states.flatMap((state) => state.strokes))) {
    stroke.x = stroke.x.map((value) => value * ratio);
    stroke.y = stroke.y.map((value) => value * ratio);
  }
}
