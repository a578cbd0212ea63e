// What the server makes of the drawing: a verdict in words, candidates with bars, code points and forms.

import { percent, say } from "../i18n/words.js";
import { byId, element } from "../ui/dom.js";
import { joinFacts } from "../ui/parts.js";

const LEARNING_MODELS = ["few-shot", "online"]; // no other model learns, so nothing is promised for it
const FORMS_SHOWN = 5;
const POINTS_SHOWN = 4;

/** @typedef {Prediction["decision"] | "idle"} Kind  idle: the slate is empty. */

export class Answer {
  /** @type {Prediction | null} */
  #prediction = null;
  #version = -1;
  #onChoose;

  /** @param {(candidate: Candidate) => void} onChoose  called when the reader picks the right candidate */
  constructor(onChoose) {
    this.#onChoose = onChoose;
  }

  /** Return the prediction for a version of the slate, null if there is none.
   * @param {number} version
   */
  for(version) {
    return this.#version === version ? this.#prediction : null;
  }

  get candidates() {
    return this.#prediction?.candidates ?? [];
  }

  /** Show an answer.
   * @param {Prediction | null} prediction  null: the slate is empty
   * @param {number} version  of the slate
   * @param {boolean} canAnswer  whether the server knows any label
   */
  show(prediction, version, canAnswer) {
    this.#prediction = prediction;
    this.#version = version;
    const kind = prediction?.decision ?? "idle";
    byId("verdict").dataset.kind = kind;
    byId("tile").textContent = sign(kind, prediction?.candidates[0]);
    byId("decision").textContent = prediction ? verdict(prediction) : say(canAnswer ? "idle" : "welcome");
    byId("detail").textContent = prediction ? detail(prediction) : say("idleDetail");
    byId("steps").hidden = canAnswer || kind !== "idle";
    const rows = this.candidates.map((candidate, i) => this.#row(candidate, i));
    if (prediction && rows.length) rows.push(noneOfThese(prediction.unknown_probability));
    byId("candidates").replaceChildren(...rows);
  }

  /**
   * @param {Candidate} candidate
   * @param {number} i
   */
  #row(candidate, i) {
    const { label, canonical, forms, probability } = candidate;
    const relation =
      canonical !== label
        ? say("formOf", { label: canonical })
        : forms.length > 1 && say("alsoForms", { labels: forms.slice(1, 1 + FORMS_SHOWN).join(" ") });
    const points = element("span", { class: "points" }, joinFacts(codePoints(candidate), relation));
    return element(
      "li",
      {},
      element(
        "button",
        { type: "button", title: say("choose", { label }), onclick: () => this.#onChoose(candidate) },
        element("kbd", { "aria-hidden": "true" }, i + 1),
        element("span", { class: "form script" }, label),
        element("span", { class: "facts" }, bar(probability), points),
        element("span", { class: "percent" }, percent(probability)),
      ),
    );
  }
}

/** Return what stands on the tile; where it is nothing, the style sheet shows a pencil.
 * @param {Kind} kind
 * @param {Candidate} [best]
 */
function sign(kind, best) {
  if (kind === "recognized" && best) return best.label;
  return ["unsure", "unknown"].includes(kind) ? "?" : "";
}

/** @param {Prediction} prediction */
function verdict({ decision, candidates: [best, second] }) {
  if (decision === "unknown") return say("isUnknown");
  if (decision === "nothing_taught") return say("nothingTaught");
  const { label, canonical } = best;
  if (decision === "unsure") {
    return second ? say("isUnsure", { label, other: second.label }) : say("isUnsureAlone", { label });
  }
  return canonical === label ? say("isRecognized", { label }) : say("isForm", { label, canonical });
}

/** @param {Prediction} prediction */
function detail({ decision, candidates: [best], model }) {
  if (best && (decision === "recognized" || !LEARNING_MODELS.includes(model))) {
    return joinFacts(percent(best.probability), codePoints(best));
  }
  if (decision === "unsure") return say("pickOne");
  return say(decision === "nothing_taught" ? "tellMeFirst" : "tellMe");
}

/** @param {number} share */
function bar(share) {
  const fill = element("span", { class: "fill" });
  fill.style.width = `${Math.max(0.5, 100 * share)}%`;
  return element("span", { class: "bar", "aria-hidden": "true" }, fill);
}

/** @param {number} share */
function noneOfThese(share) {
  return element(
    "li",
    { class: "none" },
    element("span"),
    element("span", { class: "form" }, "–"),
    element("span", { class: "facts" }, bar(share), element("span", { class: "points" }, say("noneOfThese"))),
    element("span", { class: "percent" }, percent(share)),
  );
}

/** @param {Candidate} candidate */
const codePoints = ({ code_points: points }) =>
  points.slice(0, POINTS_SHOWN).join(" ") + (points.length > POINTS_SHOWN ? " …" : "");
