// Getting around on a page whose address names what is shown behind its #.

import { say } from "../i18n/words.js";
import { explain } from "../server/errors.js";
import { getById, makeElement } from "./dom.js";
import { showError, showStatus } from "./status.js";

let leave = new AbortController(); // ends the life of the view that is shown

/** Put a view in place of the one that is shown, or say why that is not possible.
 * @param {ShowView} show
 * @param {string} id  of what it is about
 */
export async function replaceView(show, id) {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const view = makeElement("div", { class: "view" });
  try {
    await show(view, id, signal);
  } catch (error) {
    if (signal.aborted) return;
    showError(error);
    view.replaceChildren(makeElement("p", { class: "empty" }, explain(error)));
  }
  if (signal.aborted) return;
  getById("view").replaceChildren(view);
  view.dispatchEvent(new Event("shown")); // plots and scans need to know how wide they are
}

/** Build a link to a view.
 * @param {import("./dom.js").Child} text
 * @param {string} view  what stands behind the # of the address
 * @param {import("./dom.js").Attributes} attributes
 */
export const makeLink = (text, view, attributes = {}) => makeElement("a", { href: `#${view}`, ...attributes }, text);

/** Return the name of a view of one thing.
 * @param {string} kind
 * @param {string} id
 */
export const nameView = (kind, id) => `${kind}/${encodeURIComponent(id)}`;

/** Build the link above a view that leads back.
 * @param {import("../i18n/words.js").Word} word
 * @param {string} view
 */
export const makeBackLink = (word, view) => makeElement("p", { class: "back" }, makeLink(`‹ ${say(word)}`, view));

/** Show another view, and there say what has been done.
 * @param {string} view
 * @param {string} message
 */
export function goTo(view, message) {
  // After the page has cleared its line.
  window.addEventListener("hashchange", () => showStatus(message), { once: true });
  location.hash = view;
}

/** Run something once a view is on the page: plots need to know how wide they are.
 * @param {HTMLElement} view
 * @param {() => void} run
 */
export function runWhenShown(view, run) {
  if (view.isConnected) run();
  else view.addEventListener("shown", run, { once: true });
}
