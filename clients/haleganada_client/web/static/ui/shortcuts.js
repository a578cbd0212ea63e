// The page by keyboard. Single keys can be switched off (help), since they get in the way of some screen readers and
// voice input.

import { settings } from "./storage.js";

const TYPING = "input:not([type=range]):not([type=checkbox]):not([type=file]), select, textarea, dialog";
const OWN_ENTER = "button, a, summary, label, [role=tab]";
const FOREIGN = /^(?![\p{Script=Latin}\p{ASCII}])[\p{L}\p{M}\p{N}]/u;
const NO_CHARACTER = ["Dead", "Process", "Unidentified"];
const SIGN = /^[\p{P}\p{S}]$/u; // Thai has a bracket where Ctrl+Shift+Z is
const PLACE = /^(?:Key|Digit)([A-Z\d])$/;

/**
 * @typedef {object} Actions  Called only when nobody is typing, but for leave.
 * @property {(i: number) => boolean} choose  picks the candidate i, from 0; false if there is none
 * @property {() => void} teach
 * @property {() => void} undoStroke
 * @property {() => void} redoStroke
 * @property {() => void} clear
 * @property {() => void} help
 * @property {() => void} leave  leaves the box in which somebody types
 */

/** Return whether single keys do something. */
export const areSingleKeysOn = () => settings.get("keys") !== "off";

/** Switch single keys on or off.
 * @param {boolean} on
 */
export const switchSingleKeys = (on) => settings.set("keys", on ? "on" : "off");

/** Let keys run actions.
 * @param {Actions} actions
 */
export function listenToKeys(actions) {
  document.addEventListener("keydown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (target.closest(TYPING)) {
      if (event.key === "Escape" && !target.closest("dialog")) actions.leave();
    } else if (run(event, target, actions)) {
      event.preventDefault();
    }
  });
}

/** Run the action of a key. Returns false if it has none.
 * @param {KeyboardEvent} event
 * @param {Element} target
 * @param {Actions} actions
 */
function run(event, target, actions) {
  const { ctrlKey, metaKey, altKey, shiftKey } = event;
  const key = readKey(event);
  if ((ctrlKey || metaKey) && !altKey) {
    const action = { z: shiftKey ? actions.redoStroke : actions.undoStroke, y: actions.redoStroke }[key.toLowerCase()];
    action?.();
    return Boolean(action);
  }
  if (ctrlKey || metaKey || altKey || !areSingleKeysOn()) return false;
  if (key >= "1" && key <= "5") return actions.choose(Number(key) - 1);
  if (key === "Enter" && target.closest(OWN_ENTER)) return false;
  const action = { Enter: actions.teach, Backspace: actions.undoStroke, Delete: actions.clear, "?": actions.help }[key];
  action?.();
  return Boolean(action);
}

/** Return what a key means: what the layout says, since Z is elsewhere on AZERTY; but its place on the keyboard where that
 * has a letter or digit of another script (я, ಎ, ೧), or no character of its own.
 * @param {KeyboardEvent} event
 */
function readKey({ key, code, ctrlKey, metaKey, shiftKey }) {
  const isForeign =
    FOREIGN.test(key) || NO_CHARACTER.includes(key) || ((ctrlKey || metaKey) && shiftKey && SIGN.test(key));
  return (isForeign && PLACE.exec(code)?.[1]) || key;
}
