// Saying what a drawing is: the label box, letters to click, labels that are known, and forms of other letters.

import { formatCount, say } from "../i18n/words.js";
import { getById, makeButton, makeElement, replaceKeepingFocus } from "../ui/dom.js";
import { joinFacts } from "../ui/parts.js";
import { buildEvidence } from "./evidence.js";
import { warnOfOtherText } from "./other_text.js";
import { buildLetterGroups } from "./palette.js";

const MOST_CHIPS = 8;
const SERIES = 3; // drawings of a label after which more of them help little

/** @typedef {(label: string, variantOf: string) => void} OnTeach  variantOf: the letter that it is a form of, or "". */

export class TeachForm {
  #onTeach;
  #isTouched = false; // whether a finger was the last to do something
  #isKept = false; // whether the box has a label that nobody has typed since: typing replaces it
  /** @type {string[]} */
  #chips = [];
  /** @type {LabelStats[]} */
  #labels = [];

  /** @param {OnTeach} onTeach  called when the reader said what the drawing is */
  constructor(onTeach) {
    this.#onTeach = onTeach;
    document.addEventListener("pointerdown", ({ pointerType }) => {
      this.#isTouched = pointerType === "touch";
    });
    getById("teach").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#onTeach(getById("label").value, getById("is-form").checked ? getById("canonical").value : "");
    });
    this.#listenToBox();
    for (const id of ["is-form", "canonical"]) getById(id).addEventListener("change", () => this.#showForm());
    getById("letters").addEventListener("click", () => this.#togglePalette());
    getById("palette").replaceChildren(...buildLetterGroups((letter) => this.#type(letter)));
  }

  /** Offer labels: the latest as chips, all of them in the box's list and as letters that a form can stand for.
   * @param {Stats} stats
   */
  offer({ labels }) {
    this.#labels = labels;
    const newest = [...labels].sort((a, b) => b.newest_sample_id - a.newest_sample_id).slice(0, MOST_CHIPS);
    this.#chips = keepPlaces(
      this.#chips,
      newest.map(({ label }) => label),
    );
    replaceKeepingFocus(getById("recent"), ...this.#chips.map((label) => this.#buildChip(label)));
    this.#showSeries();
    getById("known").replaceChildren(...labels.map(({ label }) => makeElement("option", { value: label })));
    const letters = labels.filter(({ label, canonical }) => label === canonical);
    getById("canonical").replaceChildren(...letters.map(({ label }) => makeElement("option", { value: label }, label)));
    getById("variant").hidden = letters.length === 0;
  }

  /** Switch the chips on or off. They teach at once, so there must be something to teach.
   * @param {boolean} isDrawn
   */
  allow(isDrawn) {
    for (const chip of getById("recent").querySelectorAll("button")) chip.disabled = !isDrawn;
  }

  /** Get ready for the next drawing. The label stays until it is changed: many draw one letter several times in a row. */
  reset() {
    this.#keep();
    getById("is-form").checked = false;
    this.#showForm();
  }

  /** Put a label into the box, where typing replaces it.
   * @param {string} label
   */
  suggest(label) {
    getById("label").value = label;
    this.#keep();
    this.#warn();
  }

  /** Let the reader type over the label at once, or teach it with Enter. Fingers would only see the keyboard come up. */
  focus() {
    if (this.#isTouched) return;
    getById("label").focus({ preventScroll: true });
    getById("label").select();
  }

  /** @param {string} label */
  #buildChip(label) {
    const attributes = { class: "chip script", title: say("teachAs", { label }) };
    const chip = makeButton(buildEvidence(label), () => this.#onTeach(label, ""), attributes);
    chip.append(label);
    return chip;
  }

  #showForm() {
    const { checked } = getById("is-form");
    getById("canonical").disabled = !checked;
    getById("form-note").hidden = !checked;
    this.#warn();
  }

  /** Warn if the drawing would count as other text than its label. */
  #warn() {
    warnOfOtherText(getById("form-warning"), () => ({
      form: getById("is-form").checked ? getById("label").value.trim() : "",
      canonical: getById("canonical").value,
    }));
  }

  #togglePalette() {
    const palette = getById("palette");
    palette.hidden = !palette.hidden;
    getById("letters").setAttribute("aria-expanded", String(!palette.hidden));
    palette.scrollIntoView({ block: "nearest" });
  }

  /** @param {string} letter */
  #type(letter) {
    const box = getById("label");
    if (this.#isKept) box.value = "";
    box.setRangeText(letter, box.selectionStart ?? 0, box.selectionEnd ?? 0, "end");
    this.#noteTyped();
  }

  #listenToBox() {
    const box = getById("label");
    const select = () => {
      if (this.#isKept) box.select();
    };
    box.addEventListener("input", () => this.#noteTyped());
    box.addEventListener("focus", select);
    box.addEventListener("click", select); // which would leave a cursor within the label
    box.addEventListener("drop", () => {
      if (this.#isKept) box.value = ""; // the browser inserts what was dropped
    });
  }

  #noteTyped() {
    this.#isKept = false;
    this.#showSeries();
    this.#warn();
  }

  #keep() {
    this.#isKept = true;
    if (document.activeElement === getById("label")) getById("label").select();
    this.#showSeries();
  }

  /** Say which drawing of the label in the box the next one is, of as many as are worth their while: “ಅ, 2 of 3”. */
  #showSeries() {
    const found = this.#labels.find(({ label }) => label === getById("label").value.trim().normalize("NFC"));
    getById("series").textContent = found ? describeSeries(found) : "";
  }
}

/** @param {LabelStats} stats */
function describeSeries({ label, samples: count }) {
  return count < SERIES
    ? say("series", { label, count: count + 1, total: SERIES })
    : joinFacts(label, say("drawings", { count: formatCount(count) }));
}

/** Return the newest labels, those that were shown before in their places: nothing moves under a finger.
 * @param {string[]} shown
 * @param {string[]} newest
 */
function keepPlaces(shown, newest) {
  const added = newest.filter((label) => !shown.includes(label));
  return [...shown.flatMap((label) => (newest.includes(label) ? [label] : added.splice(0, 1))), ...added];
}
