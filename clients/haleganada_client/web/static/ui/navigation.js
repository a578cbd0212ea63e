// Getting around on a page whose address names what is shown behind its #.

import { say } from "../i18n/words.js";
import { element } from "./dom.js";
import { showStatus } from "./status.js";

/** Build a link to a view.
 * @param {import("./dom.js").Child} text
 * @param {string} view  what stands behind the # of the address
 * @param {import("./dom.js").Attributes} attributes
 */
export const link = (text, view, attributes = {}) => element("a", { href: `#${view}`, ...attributes }, text);

/** Return the name of a view of one thing.
 * @param {string} kind
 * @param {string} id
 */
export const viewOf = (kind, id) => `${kind}/${encodeURIComponent(id)}`;

/** Build the link above a view that leads back.
 * @param {import("../i18n/words.js").Word} word
 * @param {string} view
 */
export const backLink = (word, view) => element("p", { class: "back" }, link(`‹ ${say(word)}`, view));

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
export function whenShown(view, run) {
  if (view.isConnected) run();
  else view.addEventListener("shown", run, { once: true });
}
