// The pictures that wait to be taught, as a strip of small ones: which has been taught, and which is on the slate.

import { say } from "../i18n/words.js";
import { getById, makeButton, makeElement } from "../ui/dom.js";

/**
 * @typedef {import("./queue.js").Item} Item
 * @typedef {{ choose: (i: number) => unknown, skip: () => unknown, end: () => unknown }} Actions
 */

const AROUND = 12; // pictures that are shown on either side: each is decoded in full
const SIGNS = { waiting: "", taught: "✓", refused: "×" };

/** @type {Map<File, string>} */
const addresses = new Map(); // of the files that are shown

/** Show the strip, or nothing if there are no pictures.
 * @param {Item[]} items
 * @param {number} at  the one on the slate
 * @param {Actions} actions
 */
export function showFilmstrip(items, at, { choose, skip, end }) {
  const from = Math.max(0, at - AROUND);
  const shown = items.slice(from, at + AROUND + 1);
  keepAddresses(shown.map(({ file }) => file));
  const strip = getById("filmstrip");
  strip.hidden = !items.length;
  if (!items.length) return;
  const isDone = !items.some(({ state }) => state === "waiting");
  const frames = shown.map((item, i) => buildFrame(item, from + i, from + i === at && !isDone, () => choose(from + i)));
  strip.replaceChildren(
    makeElement(
      "div",
      { class: "row" },
      makeElement("p", { class: "where", role: "status" }, isDone ? describeEnd(items) : describePlace(items, at)),
      !isDone && makeButton(say("skipPicture"), skip, { id: "skip-picture" }),
      makeButton(say("endQueue"), end, { id: "end-queue" }),
    ),
    makeElement("ol", { "aria-label": say("queue") }, frames),
  );
  const list = /** @type {HTMLElement} */ (strip.lastElementChild);
  list.scrollLeft = frames[at - from].offsetLeft - list.clientWidth / 2; // the page itself stays where it is
}

/** @param {Item[]} items */
const describeEnd = (items) => say("queueDone", { count: items.filter(({ state }) => state === "taught").length });

/**
 * @param {Item[]} items
 * @param {number} at
 */
const describePlace = (items, at) => say("queuePlace", { number: at + 1, count: items.length, name: items[at].name });

/**
 * @param {Item} item
 * @param {number} i
 * @param {boolean} isShown
 * @param {() => unknown} choose
 */
function buildFrame({ file, name, state }, i, isShown, choose) {
  const picture = makeElement("img", { src: addresses.get(file), alt: "", width: 48, height: 48, decoding: "async" });
  const sign = makeElement("span", { class: "sign", "aria-hidden": "true" }, SIGNS[state]);
  const label = [`${i + 1}: ${name}`, state === "taught" && say("isTaught")].filter(Boolean).join(", ");
  const frame = makeButton(picture, choose, { class: "frame", title: name, "aria-label": label, "data-state": state });
  if (isShown) frame.setAttribute("aria-current", "true");
  frame.append(sign);
  return makeElement("li", {}, frame);
}

/** Give each of these files an address, and let those of others go.
 * @param {File[]} files
 */
function keepAddresses(files) {
  for (const [file, address] of addresses) {
    if (files.includes(file)) continue;
    URL.revokeObjectURL(address);
    addresses.delete(file);
  }
  for (const file of files) if (!addresses.has(file)) addresses.set(file, URL.createObjectURL(file));
}
