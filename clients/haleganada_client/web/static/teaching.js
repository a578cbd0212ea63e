// Saying what a drawing is: the label box, letters to click, labels that are known, and forms of other letters.

import { button, byId, element } from "./dom.js";
import { palette } from "./palette.js";
import { say } from "./words.js";

const MOST_CHIPS = 8;

export class Teaching {
  #onTeach;

  // onTeach(label, variantOf): the reader said what the drawing is.
  constructor(onTeach) {
    this.#onTeach = onTeach;
    byId("teach").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#onTeach(byId("label").value, byId("is-form").checked ? byId("canonical").value : "");
    });
    byId("is-form").addEventListener("change", () => this.#showForm());
    byId("letters").addEventListener("click", () => this.#togglePalette());
    byId("palette").replaceChildren(...palette((letter) => this.#type(letter)));
  }

  // Labels to offer: those taught last as chips, all of them in the box's list and as letters that a form can stand for.
  offer(stats) {
    const newest = [...stats.labels].sort((a, b) => b.newest_sample_id - a.newest_sample_id);
    const chip = ({ label }) => button(label, () => this.#onTeach(label, ""), { class: "chip script", title: say("teachAs", { label }) });
    byId("recent").replaceChildren(...newest.slice(0, MOST_CHIPS).map(chip));
    byId("known").replaceChildren(...stats.labels.map(({ label }) => element("option", { value: label })));
    const letters = stats.labels.filter(({ label, canonical }) => label === canonical);
    byId("canonical").replaceChildren(...letters.map(({ label }) => element("option", { value: label }, label)));
    byId("variant").hidden = letters.length === 0;
  }

  // Chips teach at once, so there must be something to teach.
  allow(isDrawn) {
    for (const chip of byId("recent").children) chip.disabled = !isDrawn;
  }

  // Ready for the next drawing.
  reset() {
    byId("label").value = "";
    byId("is-form").checked = false;
    this.#showForm();
  }

  suggest(label) {
    byId("label").value = label;
  }

  #showForm() {
    const { checked } = byId("is-form");
    byId("canonical").disabled = !checked;
    byId("form-note").hidden = !checked;
  }

  #togglePalette() {
    const opened = byId("palette").hidden;
    byId("palette").hidden = !opened;
    byId("letters").setAttribute("aria-expanded", String(opened));
  }

  #type(letter) {
    const box = byId("label");
    box.setRangeText(letter, box.selectionStart, box.selectionEnd, "end");
  }
}
