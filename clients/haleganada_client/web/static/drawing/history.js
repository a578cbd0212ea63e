// The states that something was in, to go back to and forth again.

const MOST_STATES = 200;

/** @template State */
export class History {
  /** @type {State[]} */
  #past = [];
  /** @type {State[]} */
  #future = []; // the next one last
  #present;

  /** @param {State} first */
  constructor(first) {
    this.#present = first;
  }

  get present() {
    return this.#present;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  /** All states. */
  get states() {
    return [...this.#past, this.#present, ...this.#future];
  }

  /** Go on to a new state; what was undone before is gone.
   * @param {State} state
   */
  push(state) {
    this.#past.push(this.#present);
    if (this.#past.length > MOST_STATES) this.#past.shift();
    this.#future = [];
    this.#present = state;
  }

  /** Go back to the state before, if there is one. Returns whether there was. */
  undo() {
    return this.#step(this.#past, this.#future);
  }

  /** Go forth to the state that was undone last, if there is one. Returns whether there was. */
  redo() {
    return this.#step(this.#future, this.#past);
  }

  /**
   * @param {State[]} from
   * @param {State[]} to
   */
  #step(from, to) {
    const state = from.pop();
    if (state === undefined) return false;
    to.push(this.#present);
    this.#present = state;
    return true;
  }
}
