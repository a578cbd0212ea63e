// What the page can do, its keys, and the switch for single keys.

import { say } from "../i18n/words.js";
import { showDialog } from "../ui/dialog.js";
import { makeElement } from "../ui/dom.js";
import { areSingleKeysOn, switchSingleKeys } from "../ui/shortcuts.js";

/** @typedef {import("../i18n/words.js").Word} Word */

/** @type {Word[]} */
const PARAGRAPHS = ["helpLearn", "helpHonest", "helpSafe", "helpPicture"];

/** @type {[string, Word][]} */
const KEYS = [
  ["← ↑ → ↓", "keyMove"],
  ["Space", "keyPen"],
  ["1 – 5", "keyChoose"],
  ["Enter", "keyTeach"],
  ["Backspace, Ctrl+Z", "keyUndoStroke"],
  ["Ctrl+Shift+Z, Ctrl+Y", "keyRedoStroke"],
  ["Delete", "keyClear"],
  ["Esc", "keyLeave"],
];

/** Show the help. */
export function showHelp() {
  const box = makeElement("input", {
    type: "checkbox",
    checked: areSingleKeysOn(),
    onchange: () => {
      switchSingleKeys(box.checked);
    },
  });
  showDialog(
    say("helpTitle"),
    ...PARAGRAPHS.map((word) => makeElement("p", {}, say(word))),
    makeElement("h3", {}, say("keysTitle")),
    makeElement(
      "dl",
      { class: "keys" },
      KEYS.flatMap(([key, word]) => [
        makeElement("dt", {}, makeElement("kbd", {}, key)),
        makeElement("dd", {}, say(word)),
      ]),
    ),
    makeElement("label", { class: "check" }, box, makeElement("span", {}, say("singleKeys"))),
  );
}
