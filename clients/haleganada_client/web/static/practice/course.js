// What comes next on a walk through letters. What went wrong comes back soon, and again until it went right twice in a row.

const SOON = 3; // letters before one comes back that went wrong
const RIGHTS_NEEDED = 2; // after a mistake

/** @typedef {{ label: string, needed: number }} Stop  needed: how often it must still go right. */

export class Course {
  /** @type {Stop[]} */
  #ahead;
  /** @type {Set<string>} */
  #missed = new Set();
  #labels;

  /**
   * @param {string[]} labels  in their order
   * @param {number} times  how often each must go right
   */
  constructor(labels, times) {
    this.#ahead = labels.map((label) => ({ label, needed: times }));
    this.#labels = labels;
  }

  /** The label that comes next, "" at the end. */
  get label() {
    return this.#ahead[0]?.label ?? "";
  }

  /** How often that label must still go right. */
  get needed() {
    return this.#ahead[0]?.needed ?? 0;
  }

  /** How many labels are done. */
  get done() {
    return this.total - this.#ahead.length;
  }

  get total() {
    return this.#labels.length;
  }

  /** All labels, also those that are done. */
  get labels() {
    return this.#labels;
  }

  /** The labels that went wrong, in the order in which they did. */
  get missed() {
    return [...this.#missed];
  }

  /** It went right once more. */
  pass() {
    const [stop] = this.#ahead;
    stop.needed -= 1;
    if (stop.needed <= 0) this.#ahead.shift();
    else if (this.#missed.has(stop.label)) this.#postpone();
  }

  /** It went wrong. */
  miss() {
    this.#missed.add(this.#ahead[0].label);
    this.#ahead[0].needed = RIGHTS_NEEDED;
    this.#postpone();
  }

  /** One more drawing of a label is wanted after all. The walk goes back to it.
   * @param {string} label
   */
  restore(label) {
    const at = this.#ahead.findIndex((stop) => stop.label === label);
    const [stop] = at < 0 ? [{ label, needed: 0 }] : this.#ahead.splice(at, 1);
    stop.needed += 1;
    this.#ahead.unshift(stop);
  }

  /** Leave a label out. */
  skip() {
    this.#ahead.shift();
  }

  #postpone() {
    const [stop] = this.#ahead.splice(0, 1);
    this.#ahead.splice(SOON, 0, stop);
  }
}
