// Small things that several views are made of.

import { percent, say } from "../i18n/words.js";
import { element } from "./dom.js";

/**
 * @typedef {import("./dom.js").Child} Child
 * @typedef {import("../i18n/words.js").Word} Word
 */

const HASH_SHOWN = 10; // characters, enough to tell two apart

/** Show facts, each with its number first and large. Facts without a value are left out.
 * @param {[Child, Word][]} facts
 */
export function numbers(facts) {
  const items = facts
    .filter(([value]) => hasValue(value))
    .map(([value, word]) => element("div", {}, element("dt", {}, say(word)), element("dd", {}, value)));
  return element("dl", { class: "numbers" }, items);
}

/** Show facts as a quiet list of names and values. Facts without a value are left out.
 * @param {[Child, Child][]} rows
 */
export function factList(rows) {
  const items = rows
    .filter(([, value]) => hasValue(value))
    .flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  return element("dl", { class: "facts" }, items);
}

/** Show a list below a title, or a note where it is empty.
 * @param {Word} title
 * @param {HTMLElement[]} rows
 * @param {Word} note
 */
export function column(title, rows, note) {
  const list = rows.length ? element("ul", { class: "advice" }, rows) : element("p", { class: "note" }, say(note));
  return element("section", {}, element("h3", {}, say(title)), list);
}

/** Show how far something is.
 * @param {number} done
 * @param {number} total  0: unknown
 * @param {string} name
 */
export const meter = (done, total, name) =>
  element("progress", { class: "meter", "aria-label": name, max: total || false, value: total ? done : false });

/** Say what went wrong, and what to do, where it happened.
 * @param {string} message
 */
export const problem = (message) => element("p", { class: "problem", role: "alert" }, message);

/** Show the first characters of a hash.
 * @param {string} sha256
 */
export const hash = (sha256) => element("code", { class: "hash", title: sha256 }, sha256.slice(0, HASH_SHOWN) || "–");

/** Format a share that may be missing.
 * @param {number | null | undefined} value  0 to 1
 */
export const share = (value) => (value === null || value === undefined ? "–" : percent(value));

/** Join facts in one line, without those that are missing.
 * @param {...(string | false | null | undefined)} facts
 */
export const joinFacts = (...facts) => facts.filter(Boolean).join(" · ");

/** @param {Child} value */
const hasValue = (value) => value !== null && value !== undefined && value !== "";
