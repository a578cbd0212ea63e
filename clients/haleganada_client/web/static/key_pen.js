// Drawing with keys: while the slate has the focus, arrows move a cursor, two of them at once aslant, and Space puts the
// pen down and lifts it. These keys mean nothing else on the slate, so they work even where single keys are off.

const FINE = 80; // small steps across the slate, with Shift
const STEP = 4; // small steps in one without it: 1/20 of the side

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const MODIFIERS = ["Shift", "Control", "Alt", "Meta"];

const within = (value) => Math.min(FINE, Math.max(0, value));

export class KeyPen {
  #board; #cursor; #x = FINE / 2; #y = FINE / 2; #isDown = false; #held = new Set();

  // board: a Board, which the strokes go to. slate: what is focused. cursor: what stands over it, placed by --x and --y.
  constructor(board, slate, cursor) {
    this.#board = board;
    this.#cursor = cursor;
    slate.addEventListener("focus", () => { if (slate.matches(":focus-visible")) this.#show(); });
    slate.addEventListener("blur", () => this.#leave());
    slate.addEventListener("pointerdown", () => this.#leave(), { capture: true }); // before it begins a stroke of its own
    slate.addEventListener("keydown", (event) => { if (this.#press(event)) event.preventDefault(); }); // no scrolling
    slate.addEventListener("keyup", (event) => this.#held.delete(event.key));
  }

  // True if the key meant something here.
  #press({ key, shiftKey, repeat, timeStamp, ctrlKey, altKey, metaKey }) {
    if (MODIFIERS.includes(key)) return false;
    const plain = !(ctrlKey || altKey || metaKey);
    if (plain && key in ARROWS) this.#move(key, shiftKey ? 1 : STEP, timeStamp);
    else if (plain && key === " ") {
      if (!repeat) this.#turn(timeStamp);
    } else {
      this.#lift(); // undo, clear and teach are about whole strokes
      if (key === "Escape") this.#leave();
      return false;
    }
    return true;
  }

  #move(key, step, time) {
    this.#held.add(key);
    for (const [dx, dy] of [...this.#held].map((held) => ARROWS[held])) {
      this.#x = within(this.#x + step * dx);
      this.#y = within(this.#y + step * dy);
    }
    if (this.#isDown) this.#board.penMove(this.#x / FINE, this.#y / FINE, time);
    this.#show();
  }

  #turn(time) {
    if (this.#isDown) {
      this.#lift();
      return;
    }
    this.#isDown = true;
    this.#board.penDown(this.#x / FINE, this.#y / FINE, time);
    this.#show();
  }

  #lift() {
    if (!this.#isDown) return;
    this.#isDown = false;
    this.#cursor.classList.remove("down");
    this.#board.penUp();
  }

  #leave() {
    this.#lift();
    this.#held.clear();
    this.#cursor.hidden = true;
  }

  #show() {
    this.#cursor.style.setProperty("--x", this.#x / FINE);
    this.#cursor.style.setProperty("--y", this.#y / FINE);
    this.#cursor.classList.toggle("down", this.#isDown);
    this.#cursor.hidden = false;
  }
}
