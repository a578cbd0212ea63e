// The slate: pointer events to strokes, strokes to pixels. It keeps strokes, never pixels, so that any screen will do,
// and every state it had, so that nothing drawn is lost by Clear or by teaching. A pen that is no pointer (key_pen.js)
// draws the same strokes with penDown, penMove and penUp.

import { pictureSource } from "./picture.js";

const MOST_STATES = 200;
const NO_POINTER = null; // the id of the pen that penDown puts down

/**
 * @typedef {{ source: string, image: HTMLImageElement }} Picture  source: a data URL.
 * @typedef {{ strokes: Stroke[], picture: Picture | null }} State  What is on the slate.
 * @typedef {{ x: number, y: number, time: number, pressure: number }} Point  In CSS px and ms.
 * @typedef {{ id: number | null, isPen: boolean, stroke: Required<Stroke> }} OpenStroke  id: of the pointer.
 */

/** @type {State} */
const EMPTY = { strokes: [], picture: null };

/** A slate to draw on. Dispatches "stroke" at pen up, "change" at any change. */
export class Board extends EventTarget {
  #canvas;
  #context;
  #penShare;
  #state = EMPTY;
  /** @type {State[]} */
  #past = [];
  /** @type {OpenStroke | null} */
  #open = null;
  #began = 0; // ms, when the drawing began
  #side = 0; // CSS px

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
    return this.#state.strokes.length === 0 && !this.#state.picture;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  /** What is on the slate now, for remove(). */
  get content() {
    return this.#state;
  }

  /** Return what is sent: strokes in CSS px of the canvas, or a chosen picture as a data URL.
   * @returns {Drawing}
   */
  drawing() {
    const { picture, strokes } = this.#state;
    if (picture) return { image: picture.source };
    return { ink: { width: this.#side, height: this.#side, pen_width: this.#penShare * this.#side, strokes } };
  }

  /** Empty the slate. */
  clear() {
    if (!this.isEmpty) this.#become(EMPTY);
  }

  /** Remove what was there before; a stroke that was begun since stays.
   * @param {State} content
   */
  remove({ strokes, picture }) {
    if (this.isEmpty) return;
    const now = this.#state;
    this.#become({
      strokes: now.strokes.filter((stroke) => !strokes.includes(stroke)),
      picture: now.picture === picture ? null : now.picture,
    });
  }

  /** Return to the state before the last stroke, picture or clearing. */
  undo() {
    const before = this.#past.pop();
    if (!before) return;
    this.#state = before;
    this.#change();
    this.#dispatch("stroke");
  }

  /** Change the thickness of all strokes.
   * @param {number} share  of the slate's side
   */
  setPen(share) {
    this.#penShare = share;
    this.#change();
  }

  /** Show a picture instead of strokes. Rejects if the file is none.
   * @param {File} file
   */
  async show(file) {
    const source = await pictureSource(file);
    const image = new Image();
    image.src = source;
    await image.decode();
    this.#become({ strokes: [], picture: { source, image } });
    this.#dispatch("stroke");
  }

  /** Put down a pen that is no pointer.
   * @param {number} x  share of the slate's side, 0 to 1
   * @param {number} y
   * @param {number} time  ms, as in events
   */
  penDown(x, y, time) {
    if (!this.#open) this.#begin(NO_POINTER, false, this.#place(x, y, time));
  }

  /** Move that pen.
   * @param {number} x  share of the slate's side, 0 to 1
   * @param {number} y
   * @param {number} time  ms, as in events
   */
  penMove(x, y, time) {
    if (this.#open?.id === NO_POINTER) this.#extend(this.#open, [this.#place(x, y, time)]);
  }

  /** Lift that pen. */
  penUp() {
    if (this.#open?.id === NO_POINTER) this.#end(this.#open);
  }

  /** Draw everything anew, in the colors of the theme. */
  redraw() {
    this.#context.clearRect(0, 0, this.#side, this.#side);
    if (this.#state.picture) this.#drawPicture(this.#state.picture.image);
    for (const stroke of this.#state.strokes) this.#draw(stroke, 0);
  }

  /** @param {State} state */
  #become(state) {
    this.#past.push(this.#state);
    if (this.#past.length > MOST_STATES) this.#past.shift();
    this.#state = state;
    this.#change();
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
    if (this.#side && side !== this.#side) scale([...this.#past, this.#state], side / this.#side);
    this.#side = side;
    this.#canvas.width = this.#canvas.height = Math.round(side * ratio);
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.redraw();
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (this.#open || (event.pointerType === "mouse" && event.button !== 0)) return;
    event.preventDefault();
    this.#canvas.focus({ preventScroll: true });
    this.#canvas.setPointerCapture(event.pointerId);
    this.#begin(event.pointerId, event.pointerType === "pen", this.#point(event));
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (!this.#open || event.pointerId !== this.#open.id) return;
    const between = event.getCoalescedEvents?.() ?? [];
    this.#extend(
      this.#open,
      (between.length ? between : [event]).map((one) => this.#point(one)),
    );
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (this.#open && event.pointerId === this.#open.id) this.#end(this.#open);
  }

  /**
   * @param {number | null} id  of the pointer
   * @param {boolean} isPen
   * @param {Point} point
   */
  #begin(id, isPen, point) {
    const strokes = this.#state.picture ? [] : this.#state.strokes;
    if (strokes.length === 0) this.#began = point.time;
    this.#open = { id, isPen, stroke: { x: [], y: [], time_ms: [], pressure: [] } };
    this.#add(this.#open.stroke, point);
    this.#become({ strokes: [...strokes, this.#open.stroke], picture: null });
  }

  /**
   * @param {OpenStroke} open
   * @param {Point[]} points
   */
  #extend({ stroke }, points) {
    const from = stroke.x.length - 1;
    for (const point of points) this.#add(stroke, point);
    this.#draw(stroke, from);
  }

  /** @param {OpenStroke} open */
  #end({ stroke, isPen }) {
    if (!isPen) delete (/** @type {Stroke} */ (stroke).pressure); // a mouse does not measure it
    this.#open = null;
    this.version++;
    this.#dispatch("stroke");
  }

  /**
   * @param {PointerEvent} event
   * @returns {Point}
   */
  #point(event) {
    const box = this.#canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top, time: event.timeStamp, pressure: event.pressure };
  }

  /**
   * @param {number} x  share of the slate's side
   * @param {number} y
   * @param {number} time
   * @returns {Point}
   */
  #place(x, y, time) {
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

  /** Draw a stroke from one of its points on. Pressure does not show, because it does not count: the same letter from a
   * mouse and from a pen looks the same.
   * @param {Stroke} stroke
   * @param {number} from
   */
  #draw({ x, y }, from) {
    const pen = this.#context;
    pen.strokeStyle = getComputedStyle(this.#canvas).color;
    pen.lineWidth = this.#penShare * this.#side;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo(x[from], y[from]);
    for (let i = from + 1; i < x.length; i++) pen.lineTo(x[i], y[i]);
    if (from === x.length - 1) pen.lineTo(x[from] + 0.01, y[from]);
    pen.stroke();
  }

  /** @param {HTMLImageElement} image */
  #drawPicture(image) {
    const ratio = this.#side / Math.max(image.width, image.height);
    const [width, height] = [image.width * ratio, image.height * ratio];
    this.#context.drawImage(image, (this.#side - width) / 2, (this.#side - height) / 2, width, height);
  }
}

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
