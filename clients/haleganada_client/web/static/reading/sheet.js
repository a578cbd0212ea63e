// The picture of a page in a frame that zooms and pans, under an overlay that is drawn in px of the page.

import { say } from "../i18n/words.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { makeZoomable } from "./zoom.js";

const SVG = "http://www.w3.org/2000/svg";
const MARGIN_PX = { x: 40, y: 72 }; // that stays free around what is brought into sight; the tools are that high

/** @typedef {ReturnType<typeof buildSheet>} Sheet */

/** Build the picture of a page with an empty overlay.
 * @param {PageReading} page
 * @param {string} address  of its picture
 */
export function buildSheet(page, address) {
  const overlay = makeShape("svg", { viewBox: `0 0 ${page.width} ${page.height}`, "aria-hidden": "true" });
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
  const getScale = () => overlay.getBoundingClientRect().width / page.width;
  const reveal = (/** @type {[number, number][]} */ polygon) => scrollTo(frame, overlay, getScale(), polygon);
  return { node: makeElement("div", { class: "scan" }, tools, frame), frame, overlay, picture, zoom, getScale, reveal };
}

/** Build a shape of an overlay.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} attributes
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function makeShape(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/** Scroll a frame, and nothing else, so that a part of the page is in it.
 * @param {HTMLElement} frame
 * @param {SVGElement} overlay
 * @param {number} scale  CSS px for each px of the page
 * @param {[number, number][]} polygon
 */
function scrollTo(frame, overlay, scale, polygon) {
  const [outer, origin] = [frame.getBoundingClientRect(), overlay.getBoundingClientRect()];
  const shift = (
    /** @type {number[]} */ places,
    /** @type {number} */ from,
    /** @type {number} */ to,
    /** @type {number} */ most,
  ) => {
    const margin = Math.min(most, (to - from) / 4);
    const [low, high] = [Math.min(...places), Math.max(...places)];
    return low < from + margin ? low - from - margin : Math.max(0, high - to + margin);
  };
  frame.scrollBy({
    left: shift(
      polygon.map(([x]) => origin.left + x * scale),
      outer.left,
      outer.right,
      MARGIN_PX.x,
    ),
    top: shift(
      polygon.map(([, y]) => origin.top + y * scale),
      outer.top,
      outer.bottom,
      MARGIN_PX.y,
    ),
  });
}
