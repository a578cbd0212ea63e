// A walk through letters, one after another: to teach each of them several times, or to practice what was taught.

import { formatPercent, say } from "../i18n/words.js";
import { showStatus } from "../ui/status.js";
import { Course } from "./course.js";
import { rememberPractice, sortByNeed } from "./memory.js";
import { showModelLetter } from "./model_letter.js";
import { scoreDrawing } from "./score.js";
import { showWalkBar } from "./walk_bar.js";

/** @typedef {"teach" | "practice"} Mode */

export class Walk {
  #form;
  /** @type {Course | null} */
  #course = null;
  /** @type {Mode} */
  #mode = "teach";
  #onCheck;
  #times = 1;

  /**
   * @param {import("../teaching/form.js").TeachForm} form  shows the label to teach
   * @param {() => unknown} onCheck  called when the reader wants the drawing to be scored
   */
  constructor(form, onCheck) {
    this.#form = form;
    this.#onCheck = onCheck;
  }

  /** Whether the drawing is to be scored, not taught. */
  get isPractice() {
    return this.#mode === "practice" && Boolean(this.#course?.label);
  }

  /** Begin to teach letters.
   * @param {string[]} labels
   * @param {number} times  drawings of each
   */
  teach(labels, times) {
    this.#begin("teach", labels, times);
  }

  /** Begin to practice letters that were taught, those first that went wrong the last time.
   * @param {string[]} labels
   */
  practice(labels) {
    this.#begin("practice", sortByNeed(labels), 1);
  }

  /** Go on if what has been taught is the letter that is walked through.
   * @param {string} label
   */
  noteTaught(label) {
    if (this.#mode !== "teach" || !label || label !== this.#course?.label) return;
    this.#course.pass();
    this.#goOn();
  }

  /** Go back to a letter of which a lesson was taken back.
   * @param {string} label
   */
  takeBack(label) {
    if (this.#mode !== "teach" || !this.#course?.labels.includes(label)) return;
    this.#course.restore(label);
    this.#goOn();
  }

  /** Score a drawing, say how it was, and go on.
   * @param {Prediction} prediction  of the drawing
   * @param {Node} picture  of it
   */
  judge(prediction, picture) {
    const course = this.#course;
    if (!course?.label) return;
    const { label } = course;
    const { isRight, share, taken } = scoreDrawing(prediction, label);
    const values = { label, percent: formatPercent(share), other: taken };
    const word = isRight
      ? "practiceRight"
      : prediction.decision === "unknown" || !taken
        ? "practiceUnclear"
        : "practiceWrong";
    showStatus(say(word, values), { picture });
    if (isRight) course.pass();
    else course.miss();
    rememberPractice(label, isRight);
    this.#goOn();
  }

  /** End the walk. */
  end() {
    this.#course = null;
    this.show();
  }

  /** Show the letter to draw: there may be a drawing of it now. */
  showLetter() {
    const course = this.#course;
    const isModelShown = course && (this.#mode === "teach" || course.missed.includes(course.label));
    showModelLetter(isModelShown ? course.label : "");
  }

  /** Show where the walk is. */
  show() {
    const course = this.#course;
    this.showLetter();
    showWalkBar(course, this.#times, {
      check: this.isPractice ? this.#onCheck : null,
      skip: () => this.#skip(),
      end: () => this.end(),
    });
  }

  /**
   * @param {Mode} mode
   * @param {string[]} labels
   * @param {number} times
   */
  #begin(mode, labels, times) {
    this.#mode = mode;
    this.#times = times;
    this.#course = new Course(labels, times);
    this.#goOn();
  }

  #skip() {
    this.#course?.skip();
    this.#goOn();
  }

  #goOn() {
    if (this.#mode === "teach" && this.#course?.label) this.#form.suggest(this.#course.label);
    this.show();
  }
}
