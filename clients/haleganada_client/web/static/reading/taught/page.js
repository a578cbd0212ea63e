// A page in a script that people have taught: the scan with a box on each glyph, its text, and a panel to say what a glyph
// is. Each answer is learned, and the page read again.

import { say } from "../../i18n/words.js";
import { poll } from "../../server/polling.js";
import { makeElement } from "../../ui/dom.js";
import { showError, showStatus } from "../../ui/status.js";
import { buildSheet } from "../sheet.js";
import { Answering } from "./answers/answering.js";
import { isAsking, switchAsking } from "./answers/questions.js";
import { Cut } from "./input/cut.js";
import { listenToGestures } from "./input/gestures.js";
import { listenToKeys } from "./input/keys.js";
import { openSession } from "./session.js";
import { buildBoxes } from "./view/boxes.js";
import { buildPanel } from "./view/panel.js";
import { buildText } from "./view/text.js";
import { announce, buildLegend, summarize } from "./view/words.js";

const PAUSE_MS = 4000; // between two looks at what others have corrected
const LEAST_PX = matchMedia("(pointer: coarse)").matches ? 30 : 24; // height of a usual glyph at first

/** @typedef {import("./glyphs.js").Glyph} Glyph */

export class TaughtPage {
  #typesOn = false; // whether the box keeps the focus after an answer

  /**
   * @param {{ address: string, picture: string, page: PageReading }} shown  addresses of the page and of its picture
   * @param {ReturnType<typeof import("./drawings.js").findDrawings>} drawings  of the reading's workspace
   * @param {AbortSignal} life
   */
  constructor({ address, picture, page }, drawings, life) {
    this.session = openSession(address, page);
    this.corrections = this.session.corrections;
    this.place = this.session.place;
    this.drawings = drawings;
    this.sheet = buildSheet(page, picture);
    for (const [name, value] of Object.entries({
      role: "application",
      "aria-label": say("taughtScan"),
      "aria-description": say("taughtScanHelp"),
    })) {
      this.sheet.frame.setAttribute(name, value);
    }
    this.answering = new Answering(this.session, {
      included: () => this.panel.included(),
      takeTyped: () => this.#takeTyped(),
      show: () => this.#showPlace(),
    });
    this.boxes = buildBoxes(this.sheet.overlay);
    this.cut = new Cut(() => this.#showCut());
    this.text = buildText((index, more) => this.choose(index, more));
    this.panel = buildPanel(this.sheet.picture, page.width, drawings, isAsking(), this.#makePanelActions());
    this.about = makeElement("p", { class: "note about-word", role: "status" });
    this.sums = makeElement("p", { class: "note sums" });
    this.node = makeElement(
      "div",
      { class: page.height > page.width ? "taught upright" : "taught" },
      makeElement("div", { class: "taught-scan" }, this.sheet.node, this.about),
      this.panel.node,
      makeElement("div", { class: "taught-text" }, this.text.node, this.sums, buildLegend()),
    );
    this.#listen(life);
    if (this.session.isNew && isAsking()) this.place.go(this.answering.questions[0]?.index ?? 0);
    this.panel.input.value = this.session.typed;
    this.#showPage(new Set());
  }

  /** Choose a glyph. more: and all up to it.
   * @param {number} index
   * @param {boolean} more
   */
  choose(index, more = false) {
    this.answering.isTouched = true;
    this.place.go(index, more);
    this.#showPlace();
  }

  /** Bring the page to a size at which its glyphs can be hit; once it is shown. */
  fit() {
    const { zoom, getScale, frame } = this.sheet;
    zoom.fit();
    const heights = this.place.glyphs.map(({ box }) => box[3] - box[1]).sort((a, b) => a - b);
    const usual = (heights[Math.floor(heights.length / 2)] ?? LEAST_PX) * getScale();
    if (usual < LEAST_PX) zoom.by(LEAST_PX / usual);
    frame.scrollTo(0, 0);
    this.#showPlace();
  }

  /** @param {AbortSignal} life */
  #listen(life) {
    const options = { signal: life };
    this.corrections.addEventListener("page", (event) => this.#takePage(/** @type {any} */ (event).detail), options);
    this.corrections.addEventListener("refused", (event) => this.#refuse(/** @type {any} */ (event).detail), options);
    listenToGestures(this.sheet, {
      glyphs: () => this.place.glyphs,
      cutting: () => (this.cut.isOn ? this.place.current : null),
      onChoose: (index, more) => this.choose(index, more),
      onCutDrawn: (line) => this.boxes.showCut(line),
      onJoinDrawn: (glyphs) => this.boxes.mark("picked", glyphs),
      onCut: (glyph, line) => this.#split(glyph, line),
      onJoin: (glyphs) => this.answering.join(glyphs),
    });
    listenToKeys(this.panel.input, this.#makeKeyActions(), life);
    const look = async () => {
      if (!this.corrections.pending) await this.corrections.refresh();
      return true;
    };
    poll(look, PAUSE_MS, life).catch((error) => life.aborted || showError(error));
    const lookNow = () => document.hidden || look().catch(() => {}); // the next look in turn says what is wrong
    document.addEventListener("visibilitychange", lookNow, options);
    window.addEventListener("focus", lookNow, options);
  }

  /** @returns {import("./view/panel.js").PanelActions} */
  #makePanelActions() {
    return {
      onName: (text) => this.answering.name(text),
      onRemove: () => this.answering.remove(),
      onSplit: () => this.cut.toggle(this.place),
      onJoin: () => this.answering.joinPicked(),
      onNext: () => this.#goToQuestion(),
      onUndo: () => this.answering.undo(),
      onAsk: (on) => {
        switchAsking(on);
        if (on) this.#goToQuestion();
        else this.#showPlace();
      },
      onTyping: () => {
        this.answering.isTouched = true;
        this.session.typed = this.panel.input.value;
      },
      onTypingOn: () => (this.#typesOn = true),
      onCut: (glyph, line) => this.#split(glyph, line),
    };
  }

  /** @returns {import("./input/keys.js").KeyActions} */
  #makeKeyActions() {
    const { onRemove, onSplit, onJoin, onNext, onUndo } = this.#makePanelActions();
    return {
      remove: onRemove,
      split: onSplit,
      join: onJoin,
      next: onNext,
      undo: onUndo,
      walk: (arrow, more) => {
        if (this.cut.move(arrow)) return;
        this.answering.isTouched = true;
        this.place.walk(arrow, more);
        this.#showPlace();
      },
      choose: (i) => {
        const candidate = this.place.current?.candidates[i];
        if (candidate) this.answering.name(candidate.text);
        return Boolean(candidate);
      },
      confirm: () => {
        const line = this.cut.take();
        if (line) this.#split(this.place.current, line);
        return Boolean(line);
      },
      leave: () => {
        if (!this.cut.take()) this.sheet.frame.focus({ preventScroll: true });
        return true;
      },
      type: (isLetter) => {
        this.panel.input.focus();
        this.#typesOn = !isLetter;
      },
    };
  }

  /**
   * @param {Glyph} glyph
   * @param {[import("./input/cut.js").Point, import("./input/cut.js").Point]} line
   */
  #split(glyph, line) {
    this.cut.take();
    this.answering.split(glyph, line);
  }

  /** Return what is typed, and clear it. The focus goes back to where the typing began. */
  #takeTyped() {
    const { input } = this.panel;
    const text = input.value.trim();
    input.value = "";
    this.session.typed = "";
    if (!this.#typesOn && document.activeElement === input) this.sheet.frame.focus({ preventScroll: true });
    return text;
  }

  #goToQuestion() {
    if (this.answering.goToQuestion()) this.#showPlace();
    else this.about.textContent = say("nothingToAsk");
  }

  /** Show the page as it reads now.
   * @param {{ changed: number[], correction: import("./answers/corrections.js").Correction | null }} news
   */
  #takePage({ changed, correction }) {
    this.answering.renew(correction);
    this.#showPage(new Set(changed));
    if (correction) this.#reportDone(correction, changed.length);
    if (correction?.text) this.drawings.load(correction.text).then(() => this.#showPlace(), () => {}); // prettier-ignore
  }

  /**
   * @param {import("./answers/corrections.js").Correction} correction
   * @param {number} changed
   */
  #reportDone(correction, changed) {
    const { last } = this.corrections;
    const text = last?.text ? say("takeBackLesson", { label: last.text }) : say("takeBack");
    showStatus(correction.describe(changed), { takeBack: last && { text, run: () => this.answering.undo() } });
  }

  /** Say why an answer was not taken. What was typed for it can be typed on.
   * @param {{ error: Error, correction: import("./answers/corrections.js").Correction }} refused
   */
  #refuse({ error, correction }) {
    this.answering.renew(null);
    if (correction.text && !this.panel.input.value) this.panel.input.value = correction.text;
    this.session.typed = this.panel.input.value;
    const [first] = correction.glyphs;
    if (first) this.place.goTo(first);
    this.#showPlace();
    if (/** @type {any} */ (error).reason === "NOTHING_TO_UNDO") showStatus(say("allTakenBack"));
    else showError(error);
  }

  /** @param {Set<number>} changed  ids */
  #showPage(changed) {
    const { glyphs } = this.place;
    this.boxes.draw(glyphs);
    this.boxes.flash(glyphs.filter(({ id }) => changed.has(id)));
    this.text.show(glyphs, changed, this.corrections.areNames);
    this.sums.textContent = summarize(glyphs);
    this.panel.setUndo(this.corrections.last?.text ?? "", this.corrections.page.revision > 0);
    this.panel.node.hidden = !glyphs.length;
    this.#showPlace();
  }

  #showPlace() {
    const { current, picked, index, glyphs } = this.place;
    if (!current) return;
    this.cut.take();
    const { question } = this.answering;
    const others = question?.alike ?? [];
    this.boxes.mark("current", [current]);
    this.boxes.mark("picked", picked.length > 1 ? picked : []);
    this.boxes.mark("alike", others);
    this.text.light(index);
    this.text.reveal();
    this.sheet.reveal(current.polygon);
    this.about.textContent =
      picked.length > 1 ? say("glyphsPicked", { count: picked.length }) : announce(current, index, glyphs.length);
    this.panel.show(current, {
      place: index + 1,
      total: glyphs.length,
      others,
      isQuestion: Boolean(question),
      picked: picked.length,
    });
  }

  #showCut() {
    const { line, isOn } = this.cut;
    this.boxes.showCut(line);
    this.panel.showCut(line);
    this.sheet.frame.classList.toggle("cutting", isOn);
    if (isOn) this.about.textContent = say("splitHelp");
  }
}
