// The text of a page. The arrow keys move from word to word, and the scan follows.

import { say } from "../i18n/words.js";
import { makeElement } from "../ui/dom.js";
import { isUnsure, splitLine } from "./units.js";

/** @typedef {import("./scan.js").Listeners} Listeners */

/** Build the text of a page.
 * @param {PageReading} page
 * @param {import("./units.js").Unit[]} words
 * @param {Listeners} listeners
 */
export function buildText(page, words, { onPoint, onChoose }) {
  /** @type {HTMLElement[]} */
  const spans = words.map((word) => makeElement("span", { class: isUnsure(word) ? "word unsure" : "word" }, word.text));
  const node = makeElement(
    "div",
    {
      class: "page-text script",
      id: "text",
      tabindex: "0",
      role: "document",
      "aria-label": say("text"),
      "aria-description": say("textHelp"),
    },
    page.blocks.length ? buildParagraphs(page, [...spans]) : makeElement("p", { class: "empty" }, say("noText")),
  );
  let current = -1;

  const light = (/** @type {number | null} */ index) => {
    spans[current]?.classList.remove("lit");
    current = index ?? -1;
    spans[current]?.classList.add("lit");
  };
  const reveal = (/** @type {number} */ index) => spans[index]?.scrollIntoView({ block: "nearest" });
  const go = (/** @type {number} */ index) => {
    onPoint(index);
    onChoose(index);
    reveal(index);
  };

  node.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") onPoint(findIndex(spans, event.target));
  });
  node.addEventListener("pointerleave", () => onPoint(null));
  node.addEventListener("click", (event) => {
    const index = findIndex(spans, event.target);
    if (index !== null) go(index);
  });
  node.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !spans.length) return;
    event.preventDefault();
    go(Math.min(spans.length - 1, Math.max(0, current + step)));
  });
  return { node, light, reveal };
}

/** Put the words into their lines and the lines into paragraphs, one for each block.
 * @param {PageReading} page
 * @param {HTMLElement[]} spans  in reading order; they are used up
 */
function buildParagraphs(page, spans) {
  return page.blocks.map((block) => {
    const lines = block.lines.map((line) => {
      const words = spans.splice(0, splitLine(line).length);
      return makeElement(
        "span",
        { class: "line" },
        words.flatMap((word) => [word, " "]),
      );
    });
    return makeElement("p", {}, lines);
  });
}

/**
 * @param {HTMLElement[]} spans
 * @param {EventTarget | null} target
 */
function findIndex(spans, target) {
  const index = spans.indexOf(/** @type {HTMLElement} */ (target));
  return index < 0 ? null : index;
}
