// Where pictures come from: chosen, pasted or dropped, also many at once. Text goes into the box for it.

import { getById } from "../ui/dom.js";
import { findChosen, findFiles, findText } from "./transfer.js";

/** @typedef {import("./transfer.js").FoundFile} FoundFile */

const TEXT_BOX = "input:not([type=range], [type=checkbox], [type=file]), textarea";

/** Take pictures and text.
 * @param {(files: FoundFile[]) => void} onFiles
 * @param {(text: string) => void} onText  called with text that no text box takes by itself
 */
export function acceptPictures(onFiles, onText) {
  for (const input of [getById("file"), getById("folder")]) {
    input.addEventListener("change", () => {
      onFiles(findChosen(input));
      input.value = ""; // the same file can be chosen again
    });
  }
  document.addEventListener("paste", (event) => {
    if (event.clipboardData) take(event, event.clipboardData, onFiles, onText);
  });
  acceptDrops(onFiles, onText);
}

/**
 * @param {(files: FoundFile[]) => void} onFiles
 * @param {(text: string) => void} onText
 */
function acceptDrops(onFiles, onText) {
  const slate = getById("slate");
  document.addEventListener("dragover", (event) => {
    if (isForTextBox(event) || !(bringsFiles(event) || slate.contains(/** @type {Node} */ (event.target)))) return;
    event.preventDefault();
    slate.classList.add("over");
  });
  document.addEventListener("dragleave", () => slate.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    slate.classList.remove("over");
    if (isForTextBox(event) || !event.dataTransfer) return; // the browser puts it where it was dropped
    if (bringsFiles(event)) event.preventDefault(); // or the browser would open the file
    take(event, event.dataTransfer, onFiles, onText);
  });
}

/** @param {DragEvent} event */
const bringsFiles = ({ dataTransfer }) => Boolean(dataTransfer?.types.includes("Files"));

/** @param {DragEvent} event */
const isForTextBox = ({ target, dataTransfer }) => dataTransfer?.types.includes("text/plain") && isTextBox(target);

/** Take what a paste or a drop brings. Office programs send a picture along with any text; then the text is meant.
 * @param {Event} event
 * @param {DataTransfer} transfer
 * @param {(files: FoundFile[]) => void} onFiles
 * @param {(text: string) => void} onText
 */
function take(event, transfer, onFiles, onText) {
  if (document.querySelector("dialog[open]")) return;
  const text = findText(transfer);
  if (text && isTextBox(event.target)) return;
  if (text) onText(text);
  else if (transfer.files.length) findFiles(transfer).then(onFiles);
  else return;
  event.preventDefault();
}

/** @param {EventTarget | null} target */
const isTextBox = (target) =>
  target instanceof Element ? Boolean(target.closest(TEXT_BOX)) : document.activeElement?.matches(TEXT_BOX);
