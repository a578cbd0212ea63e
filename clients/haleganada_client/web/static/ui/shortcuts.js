// The page by keyboard. Single keys can be switched off (help), since they get in the way of some screen readers and
// voice input.

const TYPING = "input:not([type=range]):not([type=checkbox]):not([type=file]), select, textarea, dialog";
const OWN_ENTER = "button, a, summary, label, [role=tab]";

/**
 * @typedef {object} Actions  Called only when nobody is typing, but for leave.
 * @property {(i: number) => boolean} choose  picks the candidate i, from 0; false if there is none
 * @property {() => void} teach
 * @property {() => void} undoStroke
 * @property {() => void} clear
 * @property {() => void} undoChange
 * @property {() => void} help
 * @property {() => void} leave  leaves the box in which somebody types
 */

/** Return whether single keys do something. */
export const areSingleKeysOn = () => localStorage.getItem("keys") !== "off";

/** Switch single keys on or off.
 * @param {boolean} on
 */
export const switchSingleKeys = (on) => localStorage.setItem("keys", on ? "on" : "off");

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
function run({ key, ctrlKey, metaKey, altKey, shiftKey }, target, actions) {
  const withCommand = ctrlKey || metaKey;
  if (withCommand && !altKey && key.toLowerCase() === "z") {
    (shiftKey ? actions.undoChange : actions.undoStroke)();
    return true;
  }
  if (withCommand || altKey || !areSingleKeysOn()) return false;
  if (key >= "1" && key <= "5") return actions.choose(Number(key) - 1);
  if (key === "Enter" && target.closest(OWN_ENTER)) return false;
  const action = { Enter: actions.teach, Backspace: actions.undoStroke, Delete: actions.clear, "?": actions.help }[key];
  action?.();
  return Boolean(action);
}
