// Saying what a drawing is: the label box, letters to click, labels that are known, and forms of other letters.

import { say } from "../i18n/words.js";
import { button, byId, element } from "../ui/dom.js";
import { letterGroups } from "./palette.js";

const MOST_CHIPS = 8;

/** @typedef {(label: string, variantOf: string) => void} OnTeach  variantOf: the letter that it is a form of, or "". */

export class TeachForm {
  #onTeach;

  /** @param {OnTeach} onTeach  called when the reader said what the drawing is */
  constructor(onTeach) {
    this.#onTeach = onTeach;
    byId("teach").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#onTeach(byId("label").value, byId("is-form").checked ? byId("canonical").value : "");
    });
    byId("is-form").addEventListener("change", () => this.#showForm());
    byId("letters").addEventListener("click", () => this.#togglePalette());
    byId("palette").replaceChildren(...letterGroups((letter) => this.#type(letter)));
  }

  /** Offer labels: the latest as chips, all of them in the box's list and as letters that a form can stand for.
   * @param {Stats} stats
   */
  offer({ labels }) {
    const newest = [...labels].sort((a, b) => b.newest_sample_id - a.newest_sample_id).slice(0, MOST_CHIPS);
    byId("recent").replaceChildren(...newest.map(({ label }) => this.#chip(label)));
    byId("known").replaceChildren(...labels.map(({ label }) => element("option", { value: label })));
    const letters = labels.filter(({ label, canonical }) => label === canonical);
    byId("canonical").replaceChildren(...letters.map(({ label }) => element("option", { value: label }, label)));
    byId("variant").hidden = letters.length === 0;
  }

  /** Switch the chips on or off. They teach at once, so there must be something to teach.
   * @param {boolean} isDrawn
   */
  allow(isDrawn) {
    for (const chip of byId("recent").querySelectorAll("button")) chip.disabled = !isDrawn;
  }

  /** Get ready for the next drawing. */
  reset() {
    byId("label").value = "";
    byId("is-form").checked = false;
    this.#showForm();
  }

  /** Put a label into the box.
   * @param {string} label
   */
  suggest(label) {
    byId("label").value = label;
  }

  /** @param {string} label */
  #chip(label) {
    const attributes = { class: "chip script", title: say("teachAs", { label }) };
    return button(label, () => this.#onTeach(label, ""), attributes);
  }

  #showForm() {
    const { checked } = byId("is-form");
    byId("canonical").disabled = !checked;
    byId("form-note").hidden = !checked;
  }

  #togglePalette() {
    const palette = byId("palette");
    palette.hidden = !palette.hidden;
    byId("letters").setAttribute("aria-expanded", String(!palette.hidden));
  }

  /** @param {string} letter */
  #type(letter) {
    const box = byId("label");
    box.setRangeText(letter, box.selectionStart ?? 0, box.selectionEnd ?? 0, "end");
  }
}
