// A table that its columns sort.

import { say } from "../i18n/words.js";
import { makeButton, makeElement } from "./dom.js";

/**
 * @template Row
 * @typedef {object} Column
 * @property {import("../i18n/words.js").Word | ""} word  the heading; "": a column of actions
 * @property {(row: Row) => import("./dom.js").Child | import("./dom.js").Child[]} cell
 * @property {(row: Row) => string | number} [key]  what the column sorts by; without it, it does not sort
 * @property {boolean} [right]  whether it is aligned to the right
 * @property {string} [kind]  a class of its cells
 */

/** Build a table.
 * @template Row
 * @param {Column<Row>[]} columns
 * @param {Row[]} rows
 * @param {{ kind?: string, name?: string }} options  kind: a class
 */
export function buildTable(columns, rows, { kind = "", name = "" } = {}) {
  const body = makeElement("tbody");
  /** @type {Column<Row> | null} */
  let sorted = null;
  let isFalling = false;
  const fill = () => {
    const shown = sorted?.key ? sort(rows, sorted.key, isFalling) : rows;
    body.replaceChildren(
      ...shown.map((row) => makeElement("tr", {}, ...columns.map((column) => buildCell(column, row)))),
    );
  };
  const sortBy = (/** @type {Column<Row>} */ column) => {
    isFalling = sorted === column && !isFalling;
    sorted = column;
    for (const [i, title] of [...head.children].entries()) {
      if (columns[i] === column) title.setAttribute("aria-sort", isFalling ? "descending" : "ascending");
      else title.removeAttribute("aria-sort");
    }
    fill();
  };
  const head = makeElement("tr", {}, ...columns.map((column) => buildHeading(column, () => sortBy(column))));
  fill();
  const whole = makeElement("table", { "aria-label": name || null }, makeElement("thead", {}, head), body);
  return makeElement("div", { class: `table ${kind}` }, whole);
}

/**
 * @template Row
 * @param {Column<Row>} column
 * @param {() => void} onclick
 */
function buildHeading({ word, key, right }, onclick) {
  const text = word ? say(word) : makeElement("span", { class: "unseen" }, say("actions"));
  const content = key ? makeButton(text, onclick, { class: "sort" }) : text;
  return makeElement("th", { scope: "col", class: right ? "right" : null }, content);
}

/**
 * @template Row
 * @param {Column<Row>} column
 * @param {Row} row
 */
function buildCell({ word, cell: content, right, kind }, row) {
  const classes = [right && "right", kind].filter(Boolean).join(" ");
  return makeElement("td", { class: classes || null, "data-name": word ? say(word) : null }, content(row));
}

/**
 * @template Row
 * @param {Row[]} rows
 * @param {(row: Row) => string | number} key
 * @param {boolean} isFalling
 */
function sort(rows, key, isFalling) {
  const compare = (/** @type {string | number} */ a, /** @type {string | number} */ b) =>
    typeof a === "string" ? a.localeCompare(String(b)) : a - Number(b);
  return [...rows].sort((a, b) => (isFalling ? -1 : 1) * compare(key(a), key(b)));
}
