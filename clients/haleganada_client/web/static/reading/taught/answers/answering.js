// Answering on a page: what an answer is for, where one goes on meanwhile, and how answers are taken back.

import { say } from "../../../i18n/words.js";
import { askWhether } from "../../../ui/dialog.js";
import { showWhile } from "../../../ui/status.js";
import { joinGlyphs, nameGlyphs, removeGlyphs, splitGlyph } from "./answers.js";
import { isAsking, listQuestions } from "./questions.js";

/**
 * @typedef {import("../glyphs.js").Glyph} Glyph
 * @typedef {import("./corrections.js").Correction} Correction
 */

/**
 * @typedef {object} Desk  What stands beside the scan.
 * @property {() => Glyph[]} included  glyphs that look like the current one, without those that were taken out
 * @property {() => string} takeTyped  returns what is typed, and clears it
 * @property {() => void} show  shows where one is
 */

export class Answering {
  /** @type {Set<number>} */
  #answered = new Set(); // ids of glyphs that an answer is under way for
  #isWaiting = false;
  isTouched = false; // whether somebody did something since the last answer

  /**
   * @param {import("../session.js").Session} session
   * @param {Desk} desk
   */
  constructor({ corrections, place }, desk) {
    this.corrections = corrections;
    this.place = place;
    this.desk = desk;
  }

  /** What is best asked next, without what an answer is under way for. */
  get questions() {
    return listQuestions(this.corrections.page, this.place.glyphs, this.#answered);
  }

  /** The question that is being asked, if one is. */
  get question() {
    const { picked, index } = this.place;
    return isAsking() && picked.length < 2 ? this.questions.find((one) => one.index === index) : undefined;
  }

  /** @param {string} text */
  name(text) {
    this.desk.takeTyped();
    this.#answer(nameGlyphs(this.#findTargets(), text), true);
  }

  remove() {
    this.#answer(removeGlyphs(this.#findTargets()), true);
  }

  /** Join what is chosen, or the current glyph with the next. */
  joinPicked() {
    const { picked, glyphs, index } = this.place;
    this.join(picked.length > 1 ? picked : glyphs.slice(index, index + 2));
  }

  /** @param {Glyph[]} glyphs */
  join(glyphs) {
    if (glyphs.length < 2) return;
    this.place.goTo(glyphs[0]);
    this.#answer(joinGlyphs(glyphs, this.desk.takeTyped()), false);
  }

  /**
   * @param {Glyph} glyph
   * @param {[import("../input/cut.js").Point, import("../input/cut.js").Point]} line
   */
  split(glyph, line) {
    this.place.goTo(glyph);
    this.#answer(splitGlyph(glyph, line), false);
  }

  /** Take the last correction back; ask before, if somebody else has corrected the page since. */
  async undo() {
    if (!this.corrections.page.revision) return;
    const isSure =
      !this.corrections.isOvertaken
      || this.corrections.pending
      || (await askWhether(say("takeBackOthers"), say("takeBackOthersText"), say("takeBack")));
    if (!isSure) return;
    this.isTouched = true;
    this.corrections.undo(() => say("correctionTakenBack"));
    this.#sayThatItReads();
  }

  /** Go to the question after the one that is shown. Returns false if nothing is left to ask. */
  goToQuestion() {
    const found = this.questions;
    if (!found.length) return false;
    const here = found.findIndex(({ index }) => index === this.place.index);
    this.isTouched = true;
    this.place.go(found[(here + 1) % found.length].index);
    return true;
  }

  /** Stay at the same ink when the page is read again, or go to what is asked first now, if nobody did anything meanwhile.
   * @param {Correction | null} correction  that has changed the page; null if it was not made here
   */
  renew(correction) {
    this.#answered = this.corrections.waitingIds;
    this.place.renew(this.corrections.glyphs);
    if (correction && !this.isTouched && !this.#answered.size && isAsking()) this.#goToFirstQuestion();
  }

  #goToFirstQuestion() {
    this.place.go(this.questions[0]?.index ?? this.place.index);
  }

  /** The glyphs that an answer is for: what is chosen, or the current one and those that look the same. */
  #findTargets() {
    const { picked, current } = this.place;
    return picked.length > 1 ? picked : [current, ...this.desk.included()].filter(Boolean);
  }

  /** Send an answer, and go on before it has arrived.
   * @param {Correction} correction
   * @param {boolean} goesOn
   */
  #answer(correction, goesOn) {
    const last = correction.glyphs.at(-1);
    if (!last) return;
    for (const { id } of correction.glyphs) this.#answered.add(id);
    this.corrections.add(correction);
    this.#sayThatItReads();
    this.isTouched = !goesOn;
    if (goesOn && isAsking()) this.#goToFirstQuestion();
    else if (goesOn) this.place.go(this.place.glyphs.indexOf(last) + 1);
    this.desk.show();
  }

  async #sayThatItReads() {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    const idle = new Promise((done) => this.corrections.addEventListener("idle", done, { once: true }));
    await showWhile(idle, say("readsAgain"));
    this.#isWaiting = false;
  }
}
