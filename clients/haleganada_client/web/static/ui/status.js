// The toast: it says what has just been done, or why it failed, shows the drawing that it is about and offers to take the
// change back. It stays in view wherever the page is scrolled to, above a phone's keyboard, and never takes the focus.

import { say } from "../i18n/words.js";
import { explain } from "../server/errors.js";
import { focusMain, getById } from "./dom.js";

const SHOWN_MS = 20_000; // what was done; what failed stays until it is past
const NARROW = matchMedia("(max-width: 760px)");
const PENDING_MS = 120; // what takes no longer needs no word

/**
 * @typedef {object} Outcome  What stands beside the message.
 * @property {Node | null} [picture]  of the drawing that it is about
 * @property {Node | null} [link]  where to go on
 * @property {{ text: string, run: () => unknown } | null} [takeBack]  a button
 */

/** @type {HTMLElement | null} */
let home = null; // where the focus was before it came here
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Say what was done. The last message gives way to this one; "": to none.
 * @param {string} message
 * @param {Outcome} [outcome]
 */
export function showStatus(message, outcome = {}) {
  fill(message, "done", outcome);
  if (message) hideLater();
}

/** Say that something failed, and why.
 * @param {Error} error
 */
export function showError(error) {
  fill(say("failed", { error: explain(error) }), "bad");
}

/** Clear an error that is past, but leave what was done and how to take it back. */
export function clearError() {
  if (getById("status").classList.contains("bad")) showStatus("");
}

/** Make room on a narrow screen, where what was done would hide the answer to what is drawn next. */
export function makeRoom() {
  if (NARROW.matches && getById("status").classList.contains("done")) showStatus("");
}

/** Say what is being done if that takes more than a moment. Settles as the work does.
 * @template T
 * @param {Promise<T>} work
 * @param {string} message
 */
export async function showWhile(work, message) {
  const waiting = setTimeout(() => fill(message, "pending"), PENDING_MS);
  try {
    return await work;
  } finally {
    clearTimeout(waiting);
    if (getById("status").classList.contains("pending")) showStatus("");
  }
}

/**
 * @param {string} message
 * @param {"done" | "bad" | "pending"} kind
 * @param {Outcome} outcome
 */
function fill(message, kind, { picture = null, link = null, takeBack = null } = {}) {
  clearTimeout(timer);
  const hadFocus = getById("toast").contains(document.activeElement);
  getById("status").replaceChildren(message, ...(link ? [" ", link] : []));
  getById("status").className = `status ${kind}`;
  getById("toast-picture").replaceChildren(...(picture ? [picture] : []));
  getById("take-back").textContent = takeBack?.text ?? "";
  getById("take-back").hidden = !takeBack;
  getById("take-back").onclick = takeBack && takeBack.run;
  getById("toast-close").hidden = !message;
  if (hadFocus) returnFocus();
}

/** Put the focus back where it was, if what had it here has gone. */
function returnFocus() {
  const focused = document.activeElement;
  if (getById("toast").contains(focused) && !focused?.matches("[hidden]")) return;
  if (home?.isConnected) home.focus({ preventScroll: true });
  else focusMain();
}

/** Let what was done go after a while, but not from under somebody's hand or while nobody sees the page. */
function hideLater() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (document.hidden || getById("toast").matches(":hover, :focus-within")) hideLater();
    else showStatus("");
  }, SHOWN_MS);
}

getById("toast-close").addEventListener("click", () => showStatus(""));
getById("toast").addEventListener("focusin", ({ relatedTarget }) => {
  const from = /** @type {HTMLElement | null} */ (relatedTarget);
  if (!getById("toast").contains(from)) home = from;
});
// A press leaves the focus, and a phone's keyboard, where they are.
getById("toast").addEventListener("mousedown", (event) => event.preventDefault());
