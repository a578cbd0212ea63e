// Choosing the letters of a walk.

import { say } from "../i18n/words.js";
import { MAX_LABEL_LENGTH } from "../server/limits.js";
import { closeDialog, showDialog } from "../ui/dialog.js";
import { makeElement } from "../ui/dom.js";
import { ALPHABETS, splitLetters } from "./alphabets.js";

const TIMES = [1, 3, 5];
const USUAL_TIMES = 3;
const MOST_TEXT = 20 * MAX_LABEL_LENGTH;

/** Ask which letters to teach, and how often each. Resolves to null if the reader cancels.
 * @returns {Promise<{ labels: string[], times: number } | null>}
 */
export function askForLetters() {
  const alphabet = makeElement(
    "select",
    { id: "alphabet", class: "script" },
    Object.entries(ALPHABETS).map(([name, letters]) =>
      makeElement("option", { value: letters }, `${say(/** @type {Word} */ (name))}: ${letters}`),
    ),
  );
  const own = makeElement("input", { id: "own-letters", class: "script", maxlength: MOST_TEXT, spellcheck: "false" });
  const times = makeElement(
    "select",
    { id: "times" },
    TIMES.map((count) => makeElement("option", { value: count, selected: count === USUAL_TIMES }, count)),
  );
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const labels = splitLetters(own.value.trim() || alphabet.value);
    closeDialog({ labels, times: Number(times.value) });
  };
  const form = makeElement(
    "form",
    { class: "stack walk-form", onsubmit: submit },
    makeElement("p", {}, say("walkText")),
    makeElement("label", {}, say("alphabet"), alphabet),
    makeElement("label", {}, say("ownLetters"), own),
    makeElement("label", {}, say("walkTimes"), times),
    makeElement("div", { class: "row end" }, makeElement("button", { class: "primary" }, say("walkStart"))),
  );
  return showDialog(say("walkTitle"), form);
}

/** @typedef {import("../i18n/words.js").Word} Word */
