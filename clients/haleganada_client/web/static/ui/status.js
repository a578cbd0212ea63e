// One line that says what has just been done, or why it failed, and offers to undo it.

import { say } from "../i18n/words.js";
import { explain } from "../server/errors.js";
import { byId } from "./dom.js";

/** Say what was done.
 * @param {string} message
 * @param {(() => unknown) | null} onUndo  what the Undo button beside it does; null: there is no button
 * @param {Node | null} link  where to go on
 */
export function showStatus(message, onUndo = null, link = null) {
  byId("status").replaceChildren(message, ...(link ? [" ", link] : []));
  byId("status").classList.remove("bad");
  byId("undo").hidden = !onUndo;
  byId("undo").onclick = onUndo;
}

/** Say that something failed, and why.
 * @param {Error} error
 */
export function showError(error) {
  showStatus(say("failed", { error: explain(error) }));
  byId("status").classList.add("bad");
}

/** Clear an error that is past, but leave what was done and its Undo button. */
export function clearError() {
  if (byId("status").classList.contains("bad")) showStatus("");
}
