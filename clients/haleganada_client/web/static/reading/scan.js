// The picture of a page with a box around each word; it can be zoomed and panned.

import { say } from "../i18n/words.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { isUnsure } from "./units.js";
import { makeZoomable } from "./zoom.js";

const SVG = "http://www.w3.org/2000/svg";
const MARGIN_PX = 40; // that stays free around a word that is brought into sight

/**
 * @typedef {object} Listeners
 * @property {(index: number | null) => void} onPoint  a word is pointed at, or none
 * @property {(index: number) => void} onChoose  a word was clicked
 */

/** Build the scan of a page.
 * @param {PageReading} page
 * @param {import("./units.js").Unit[]} words
 * @param {string} address  of its picture
 * @param {Listeners} listeners
 */
export function buildScan(page, words, address, { onPoint, onChoose }) {
  const boxes = words.map((word) => makePolygon(word.polygon, isUnsure(word) ? "box unsure" : "box"));
  const overlay = document.createElementNS(SVG, "svg");
  overlay.setAttribute("viewBox", `0 0 ${page.width} ${page.height}`);
  overlay.setAttribute("aria-hidden", "true");
  overlay.append(...boxes);
  const picture = makeElement("img", {
    src: address,
    alt: say("scanAlt", { page: page.page }),
    width: page.width,
    height: page.height,
    draggable: "false",
  });
  const sheet = makeElement("div", { class: "sheet" }, picture, overlay);
  const frame = makeElement("div", { class: "frame", id: "scan", tabindex: "0", "aria-label": say("scan") }, sheet);
  frame.style.aspectRatio = String(page.width / page.height);
  const zoom = makeZoomable(frame, sheet, page.width / page.height);
  const tools = makeElement(
    "div",
    { class: "row tools" },
    makeButton("−", () => zoom.by(1 / 1.4), { class: "square", "aria-label": say("zoomOut"), title: say("zoomOut") }),
    makeButton(say("zoomFit"), zoom.fit, { id: "fit" }),
    makeButton("+", () => zoom.by(1.4), { class: "square", "aria-label": say("zoomIn"), title: say("zoomIn") }),
  );
  let lit = -1;

  const light = (/** @type {number | null} */ index) => {
    boxes[lit]?.classList.remove("lit");
    lit = index ?? -1;
    boxes[lit]?.classList.add("lit");
  };
  overlay.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") onPoint(findIndex(boxes, event.target));
  });
  overlay.addEventListener("pointerleave", () => onPoint(null));
  overlay.addEventListener("click", (event) => {
    const index = findIndex(boxes, event.target);
    onPoint(index);
    if (index !== null && !zoom.isDragging()) onChoose(index);
  });
  const reveal = (/** @type {number} */ index) => scrollTo(frame, boxes[index]);
  return { node: makeElement("div", { class: "scan" }, tools, frame), light, reveal, fit: zoom.fit };
}

/** Scroll a frame, and nothing else, so that a box is in it.
 * @param {HTMLElement} frame
 * @param {SVGElement | undefined} box
 */
function scrollTo(frame, box) {
  if (!box) return;
  const [outer, inner] = [frame.getBoundingClientRect(), box.getBoundingClientRect()];
  const shift = (
    /** @type {number} */ low,
    /** @type {number} */ high,
    /** @type {number} */ from,
    /** @type {number} */ to,
  ) => (low < from + MARGIN_PX ? low - from - MARGIN_PX : Math.max(0, high - to + MARGIN_PX));
  frame.scrollBy({
    left: shift(inner.left, inner.right, outer.left, outer.right),
    top: shift(inner.top, inner.bottom, outer.top, outer.bottom),
  });
}

/**
 * @param {[number, number][]} points
 * @param {string} name  of its class
 */
function makePolygon(points, name) {
  const node = document.createElementNS(SVG, "polygon");
  node.setAttribute("points", points.map((point) => point.join(",")).join(" "));
  node.setAttribute("class", name);
  return node;
}

/**
 * @param {SVGElement[]} boxes
 * @param {EventTarget | null} target
 */
function findIndex(boxes, target) {
  const index = boxes.indexOf(/** @type {SVGElement} */ (target));
  return index < 0 ? null : index;
}
