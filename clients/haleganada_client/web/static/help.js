// What the page can do, its keys, and the switch for single keys.

import { showDialog } from "./dialog.js";
import { element } from "./dom.js";
import { keysAreOn, switchKeys } from "./keys.js";
import { say } from "./words.js";

const KEYS = [["← ↑ → ↓", "keyMove"], ["Space", "keyPen"], ["1 – 5", "keyChoose"], ["Enter", "keyTeach"], ["Backspace, Ctrl+Z", "keyUndoStroke"], ["Delete", "keyClear"], ["Ctrl+Shift+Z", "keyUndoChange"], ["Esc", "keyLeave"]];

export function showHelp() {
  const box = element("input", { type: "checkbox", checked: keysAreOn(), onchange: () => switchKeys(box.checked) });
  const keys = KEYS.flatMap(([key, word]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, say(word))]);
  showDialog(
    say("helpTitle"),
    ...["helpLearn", "helpHonest", "helpSafe", "helpPicture"].map((word) => element("p", {}, say(word))),
    element("h3", {}, say("keysTitle")),
    element("dl", { class: "keys" }, keys),
    element("label", { class: "check" }, box, element("span", {}, say("singleKeys"))),
  );
}
