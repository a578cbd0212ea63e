// The bar above the slate that says which letter to draw, and how far the walk is.

import { say } from "../i18n/words.js";
import { getById, makeButton, makeElement } from "../ui/dom.js";
import { joinFacts } from "../ui/parts.js";
import { buildLetter } from "./model_letter.js";

/**
 * @typedef {import("./course.js").Course} Course
 * @typedef {object} Actions
 * @property {(() => unknown) | null} check  scores the drawing; null: it is taught instead
 * @property {() => unknown} skip
 * @property {() => unknown} end
 */

/** Show the bar, or nothing if there is no walk.
 * @param {Course | null} course
 * @param {number} times  how often each letter is drawn
 * @param {Actions} actions
 */
export function showWalkBar(course, times, { check, skip, end }) {
  const bar = getById("walk");
  bar.hidden = !course;
  if (!course) return;
  const { label, needed, done, total, missed } = course;
  const ring = makeElement(
    "div",
    {
      class: "ring",
      role: "progressbar",
      "aria-label": say("walkProgress"),
      "aria-valuemin": 0,
      "aria-valuemax": total,
      "aria-valuenow": done,
    },
    label ? buildLetter(label) : makeElement("span", { "aria-hidden": "true" }, "✓"),
  );
  ring.style.setProperty("--share", String(label ? (done + Math.max(0, 1 - needed / times)) / total : 1));
  const turn = times > 1 && needed <= times && say("series", { label, count: times - needed + 1, total: times });
  const again = missed.length > 0 && say("walkMissed", { labels: missed.join(" ") });
  const title = label ? turn || say("walkDraw", { label }) : say("walkDone", { count: total });
  const facts = label ? say("walkPlace", { done, total }) : again;
  bar.replaceChildren(
    ring,
    makeElement(
      "div",
      { class: "about", role: "status" },
      makeElement("p", { class: "script" }, title),
      makeElement("p", { class: "note" }, joinFacts(facts)),
    ),
    ...(label && check ? [makeButton(say("walkCheck"), check, { class: "primary", id: "walk-check" })] : []),
    ...(label ? [buildSign("›", "skipPicture", skip, "walk-skip")] : []),
    buildSign("×", "endQueue", end, "walk-end"),
  );
}

/** Build a button that is small enough for a phone's bar.
 * @param {string} sign
 * @param {import("../i18n/words.js").Word} word  what it means
 * @param {() => unknown} run
 * @param {string} id
 */
const buildSign = (sign, word, run, id) =>
  makeButton(sign, run, { id, class: "ghost-button square sign", title: say(word), "aria-label": say(word) });
