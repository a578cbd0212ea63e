// The page by keyboard, wherever on it the focus is: arrows walk, digits answer, other letters begin to type.

import { areSingleKeysOn } from "../../../ui/shortcuts.js";

const TYPING = "input:not([type=checkbox]), select, textarea, dialog";
const OWN_KEYS = "button, a, summary, input";

const INPUT_METHOD = ["Dead", "Process", "Unidentified"];

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * @typedef {object} KeyActions
 * @property {(arrow: [number, number], more: boolean) => void} walk  more: what is passed is chosen, too
 * @property {(i: number) => boolean} choose  picks the candidate i, from 0; false if there is none
 * @property {() => void} remove
 * @property {() => void} split
 * @property {() => void} join
 * @property {() => void} next  the next question
 * @property {() => void} undo
 * @property {() => boolean} confirm  what is being drawn; false if nothing is
 * @property {() => boolean} leave  what is being drawn or typed; false if nothing is
 * @property {(isLetter: boolean) => void} type  goes to the box; isLetter: which has been typed and still goes there
 */

/** Let keys run actions as long as a view lives.
 * @param {HTMLElement} box  in which somebody types
 * @param {KeyActions} actions
 * @param {AbortSignal} life
 */
export function listenToKeys(box, actions, life) {
  const listen = (/** @type {KeyboardEvent} */ event) => {
    const target = /** @type {Element} */ (event.target);
    if (event.isComposing || target.closest("dialog")) return;
    const isTyping = target === box;
    if (!isTyping && target.closest(TYPING)) return;
    if (
      isTyping ? runWhileTyping(event, /** @type {HTMLInputElement} */ (box), actions) : run(event, target, actions)
    ) {
      event.preventDefault();
    }
  };
  document.addEventListener("keydown", listen, { signal: life });
}

/** Run the action of a key in the box. Returns false if the box itself takes it.
 * @param {KeyboardEvent} event
 * @param {HTMLInputElement} box
 * @param {KeyActions} actions
 */
function runWhileTyping(event, box, actions) {
  const { key, ctrlKey, metaKey } = event;
  if (key === "Escape") return actions.leave();
  if (box.value) return false;
  if (isUndo(event)) return (actions.undo(), true);
  if (!(key in ARROWS) || ctrlKey || metaKey) return false;
  actions.walk(ARROWS[key], event.shiftKey);
  return true;
}

/** Run the action of a key. Returns false if it has none.
 * @param {KeyboardEvent} event
 * @param {Element} target
 * @param {KeyActions} actions
 */
function run(event, target, actions) {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
  if (isUndo(event)) return (actions.undo(), true);
  if (ctrlKey || metaKey || altKey) return false;
  if (key in ARROWS) return (actions.walk(ARROWS[key], shiftKey), true);
  if (key === "Escape") return actions.leave();
  if (["Enter", " "].includes(key) && target.closest(OWN_KEYS)) return false;
  if (key === "Enter") return actions.confirm() || (actions.type(false), true);
  if (!areSingleKeysOn() || ["+", "=", "-", "0", " "].includes(key)) return false; // those zoom
  if (key >= "1" && key <= "5") return actions.choose(Number(key) - 1);
  const action = { x: actions.remove, Delete: actions.remove, s: actions.split, j: actions.join, n: actions.next }[key];
  if (action) return (action(), true);
  if (!/^(?:F\d+|[A-Z][A-Za-z]+)$/.test(key) || INPUT_METHOD.includes(key)) actions.type(true); // but Tab and F5
  return false; // the letter goes where the focus is now
}

/** @param {KeyboardEvent} event */
const isUndo = ({ key, ctrlKey, metaKey, altKey, shiftKey }) =>
  (ctrlKey || metaKey) && !altKey && !shiftKey && key.toLowerCase() === "z";
