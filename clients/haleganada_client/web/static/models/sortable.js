// A table whose columns sort it. columns: [{ word, cell(row) → text or node, key(row) → what it sorts by, right }].

import { button, element } from "../dom.js";
import { say } from "../words.js";

export function table(columns, rows, { kind = "", name = "" } = {}) {
  const body = element("tbody");
  let sorted = null; // [column, falling]
  const fill = () => body.replaceChildren(...inOrder(rows, sorted).map((row) => element("tr", {}, columns.map((column) => cell(column, row)))));
  const sortBy = (column) => {
    sorted = [column, sorted?.[0] === column && !sorted[1]];
    for (const [i, heading] of [...head.children].entries()) {
      if (columns[i] === column) heading.setAttribute("aria-sort", sorted[1] ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    }
    fill();
  };
  const head = element("tr", {}, columns.map((column) => heading(column, sortBy)));
  fill();
  return element("div", { class: `table ${kind}` }, element("table", { "aria-label": name || null }, element("thead", {}, head), body));
}

function heading(column, sortBy) {
  const { word, key, right } = column;
  const text = word ? say(word) : element("span", { class: "unseen" }, say("actions"));
  return element("th", { scope: "col", class: right ? "right" : null }, key ? button(text, () => sortBy(column), { class: "sort" }) : text);
}

function cell({ word, cell: content, right, kind }, row) {
  const classes = [right && "right", kind].filter(Boolean).join(" ");
  return element("td", { class: classes || null, "data-name": word ? say(word) : null }, content(row));
}

function inOrder(rows, sorted) {
  if (!sorted) return rows;
  const [{ key }, falling] = sorted;
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);
  return [...rows].sort((a, b) => (falling ? -1 : 1) * compare(key(a), key(b)));
}
