// Small things that several views are made of.

import { formatPercent, say } from "../i18n/words.js";
import { makeElement } from "./dom.js";

/**
 * @typedef {import("./dom.js").Child} Child
 * @typedef {import("../i18n/words.js").Word} Word
 */

const HASH_SHOWN = 10; // characters, enough to tell two apart

/** Show facts, each with its number first and large. Facts without a value are left out.
 * @param {[Child, Word][]} facts
 */
export function buildNumbers(facts) {
  const items = facts
    .filter(([value]) => hasValue(value))
    .map(([value, word]) => makeElement("div", {}, makeElement("dt", {}, say(word)), makeElement("dd", {}, value)));
  return makeElement("dl", { class: "numbers" }, items);
}

/** Show facts as a quiet list of names and values. Facts without a value are left out.
 * @param {[Child, Child][]} rows
 */
export function buildFactList(rows) {
  const items = rows
    .filter(([, value]) => hasValue(value))
    .flatMap(([name, value]) => [makeElement("dt", {}, name), makeElement("dd", {}, value)]);
  return makeElement("dl", { class: "facts" }, items);
}

/** Show a list below a title, or a note where it is empty.
 * @param {Word} title
 * @param {HTMLElement[]} rows
 * @param {Word} note
 */
export function buildColumn(title, rows, note) {
  const list = rows.length
    ? makeElement("ul", { class: "advice" }, rows)
    : makeElement("p", { class: "note" }, say(note));
  return makeElement("section", {}, makeElement("h3", {}, say(title)), list);
}

/** Show how far something is.
 * @param {number} done
 * @param {number} total  0: unknown
 * @param {string} name
 */
export const buildMeter = (done, total, name) =>
  makeElement("progress", { class: "meter", "aria-label": name, max: total || false, value: total ? done : false });

/** Say what went wrong, and what to do, where it happened.
 * @param {string} message
 */
export const buildProblem = (message) => makeElement("p", { class: "problem", role: "alert" }, message);

/** Show the first characters of a hash.
 * @param {string} sha256
 */
export const buildHash = (sha256) =>
  makeElement("code", { class: "hash", title: sha256 }, sha256.slice(0, HASH_SHOWN) || "–");

/** Format a share that may be missing.
 * @param {number | null | undefined} value  0 to 1
 */
export const formatShare = (value) => (value === null || value === undefined ? "–" : formatPercent(value));

/** Join facts in one line, without those that are missing.
 * @param {...(string | false | null | undefined)} facts
 */
export const joinFacts = (...facts) => facts.filter(Boolean).join(" · ");

/** @param {Child} value */
const hasValue = (value) => value !== null && value !== undefined && value !== "";
