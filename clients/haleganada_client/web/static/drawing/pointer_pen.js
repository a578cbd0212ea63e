// Drawing with a mouse, a finger or a pen, one of them at a time; the eraser of a pen takes strokes away. Only the tip
// draws: neither a barrel button nor another button of a mouse does.

const TIP = 1; // in PointerEvent.buttons: a mouse's left button, a finger, the tip of a pen
const ERASER = 32;
const ERASER_BUTTON = 5; // in PointerEvent.button

export class PointerPen {
  #board;
  #canvas;
  /** @type {{ id: number, hasErased: boolean } | null} */
  #erasing = null; // id: of the pointer

  /**
   * @param {import("./board.js").Board} board  which the strokes go to
   * @param {HTMLCanvasElement} canvas  what shows it
   */
  constructor(board, canvas) {
    this.#board = board;
    this.#canvas = canvas;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(end, (event) => this.#up(/** @type {PointerEvent} */ (event)));
    }
    canvas.addEventListener("contextmenu", (event) => {
      if (/** @type {PointerEvent} */ (event).pointerType !== "mouse") event.preventDefault();
    });
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (this.#board.isDrawing(event.pointerId)) this.#board.finish(); // its pen up got lost
    if (this.#board.isBusy || this.#erasing) return;
    const isEraser = event.pointerType === "pen" && (event.button === ERASER_BUTTON || Boolean(event.buttons & ERASER));
    if (!isEraser && !isTip(event)) return;
    event.preventDefault();
    this.#canvas.focus({ preventScroll: true });
    this.#capture(event.pointerId);
    if (isEraser) {
      this.#erasing = { id: event.pointerId, hasErased: this.#board.erase([this.#makePoint(event)]) };
    } else {
      this.#board.begin(event.pointerId, this.#makePoint(event), event.pointerType === "pen");
    }
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const between = event.getCoalescedEvents?.() ?? [];
    const points = (between.length ? between : [event]).map((one) => this.#makePoint(one));
    if (event.pointerId === this.#erasing?.id) {
      if (this.#board.erase(points)) this.#erasing.hasErased = true;
    } else if (this.#board.isDrawing(event.pointerId)) {
      if (isStillDown(event)) this.#board.extend(points);
      else this.#board.finish();
    }
  }

  /** @param {PointerEvent} event */
  #up({ pointerId }) {
    if (this.#board.isDrawing(pointerId)) this.#board.finish();
    if (pointerId !== this.#erasing?.id) return;
    const { hasErased } = this.#erasing;
    this.#erasing = null;
    if (hasErased) this.#board.tellStroke();
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

  /**
   * @param {PointerEvent} event
   * @returns {import("./strokes.js").Point}
   */
  #makePoint(event) {
    const box = this.#canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top, time: event.timeStamp, pressure: event.pressure };
  }
}

/** Return whether an event puts down what draws.
 * @param {PointerEvent} event
 */
const isTip = ({ button, buttons }) => button === 0 && !(buttons & ~TIP);

/** Return whether what draws is still down, and nothing else. A mouse may have been let go where no event tells of it.
 * @param {PointerEvent} event
 */
const isStillDown = ({ pointerType, buttons }) => !(buttons & ~TIP) && (buttons === TIP || pointerType !== "mouse");
