// Drawing with keys: while the slate has the focus, arrows move a cursor, two of them at once diagonally, and Space puts
// the pen down and lifts it. These keys mean nothing else on the slate, so they work even where single keys are off.

const FINE_STEPS = 80; // across the slate, with Shift
const STEP = 4; // fine steps in one without it: 1/20 of the side

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const MODIFIERS = ["Shift", "Control", "Alt", "Meta"];

/** @param {number} value */
const clamp = (value) => Math.min(FINE_STEPS, Math.max(0, value));

export class KeyPen {
  #board;
  #cursor;
  #x = FINE_STEPS / 2;
  #y = FINE_STEPS / 2;
  /** @type {Set<string>} */
  #held = new Set(); // arrows

  /**
   * @param {import("./board.js").Board} board  which the strokes go to
   * @param {HTMLElement} slate  what has the focus
   * @param {HTMLElement} cursor  what stands over the slate, placed by --x and --y
   */
  constructor(board, slate, cursor) {
    this.#board = board;
    this.#cursor = cursor;
    slate.addEventListener("focus", () => {
      if (slate.matches(":focus-visible:not(.pointed)")) this.#show();
    });
    slate.addEventListener("blur", () => {
      slate.classList.remove("pointed");
      this.#leave();
    });
    const point = () => {
      // Before the stroke begins, which gives the slate the focus: browsers take a page's first focus for one by key.
      slate.classList.add("pointed");
      this.#leave();
    };
    slate.addEventListener("pointerdown", point, { capture: true });
    slate.addEventListener("keydown", (event) => {
      slate.classList.remove("pointed");
      if (this.#press(event)) event.preventDefault(); // no scrolling
    });
    board.addEventListener("change", () => this.#showState()); // something else may have ended the stroke
    slate.addEventListener("keyup", (event) => this.#held.delete(event.key));
  }

  /** Do what a key means. Returns false if it means nothing here.
   * @param {KeyboardEvent} event
   */
  #press({ key, shiftKey, repeat, timeStamp, ctrlKey, altKey, metaKey }) {
    if (MODIFIERS.includes(key)) return false;
    const isPlain = !(ctrlKey || altKey || metaKey);
    if (isPlain && key in ARROWS) {
      this.#move(key, shiftKey ? 1 : STEP, timeStamp);
    } else if (isPlain && key === " ") {
      if (!repeat) this.#turn(timeStamp);
    } else {
      this.#lift(); // undo, clear and teach are about whole strokes
      if (key === "Escape") this.#leave();
      return false;
    }
    return true;
  }

  /**
   * @param {string} key
   * @param {number} step  fine steps
   * @param {number} time  ms
   */
  #move(key, step, time) {
    this.#held.add(key);
    for (const [dx, dy] of [...this.#held].map((held) => ARROWS[held])) {
      this.#x = clamp(this.#x + step * dx);
      this.#y = clamp(this.#y + step * dy);
    }
    if (this.#isDown) this.#board.extend([this.#locate(time)]);
    this.#show();
  }

  /** @param {number} time  ms */
  #turn(time) {
    if (this.#isDown) {
      this.#lift();
      return;
    }
    this.#board.begin(this, this.#locate(time));
    this.#show();
  }

  get #isDown() {
    return this.#board.isDrawing(this);
  }

  /** @param {number} time  ms */
  #locate(time) {
    return this.#board.locate(this.#x / FINE_STEPS, this.#y / FINE_STEPS, time);
  }

  #lift() {
    if (this.#isDown) this.#board.finish();
    this.#showState();
  }

  #leave() {
    this.#lift();
    this.#held.clear();
    this.#cursor.hidden = true;
  }

  #show() {
    this.#cursor.style.setProperty("--x", String(this.#x / FINE_STEPS));
    this.#cursor.style.setProperty("--y", String(this.#y / FINE_STEPS));
    this.#showState();
    this.#cursor.hidden = false;
  }

  #showState() {
    this.#cursor.classList.toggle("down", this.#isDown);
  }
}
