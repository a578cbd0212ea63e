// What the page can do, its keys, and the switch for single keys.

import { say } from "../i18n/words.js";
import { showDialog } from "../ui/dialog.js";
import { element } from "../ui/dom.js";
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
  ["Delete", "keyClear"],
  ["Ctrl+Shift+Z", "keyUndoChange"],
  ["Esc", "keyLeave"],
];

/** Show the help. */
export function showHelp() {
  const box = element("input", {
    type: "checkbox",
    checked: areSingleKeysOn(),
    onchange: () => {
      switchSingleKeys(box.checked);
    },
  });
  showDialog(
    say("helpTitle"),
    ...PARAGRAPHS.map((word) => element("p", {}, say(word))),
    element("h3", {}, say("keysTitle")),
    element(
      "dl",
      { class: "keys" },
      KEYS.flatMap(([key, word]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, say(word))]),
    ),
    element("label", { class: "check" }, box, element("span", {}, say("singleKeys"))),
  );
}
