// What the server makes of the drawing: a verdict in words, and candidates. Each says what a tap on it teaches, and has a
// drawing that was taught as evidence.

import { formatPercent, say } from "../i18n/words.js";
import { getById, makeButton, makeElement, replaceKeepingFocus } from "../ui/dom.js";
import { hasGlyph } from "../ui/fonts.js";
import { joinFacts } from "../ui/parts.js";
import { buildEvidence } from "../teaching/evidence.js";

const PENDING_MS = 120; // an answer that comes sooner takes the place of the last one
const LEARNING_MODELS = ["few-shot", "online"]; // no other model learns, so nothing is promised for it
const FORMS_SHOWN = 5;
const LEAST_SHOWN = 0.001; // candidates below it are folded away
const POINTS_SHOWN = 4;

/** @typedef {Prediction["decision"] | "idle"} Kind  idle: the slate is empty. */

export class Answer {
  /** @type {Prediction | null} */
  #prediction = null;
  #version = -1;
  #isUnfolded = false;
  #onChoose;
  #onNone;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #expiry;

  /**
   * @param {(candidate: Candidate) => void} onChoose  called when the reader picks the right candidate
   * @param {() => void} onNone  called when none of them is right
   */
  constructor(onChoose, onNone) {
    this.#onChoose = onChoose;
    this.#onNone = onNone;
  }

  /** Return the prediction for a version of the slate, null if there is none.
   * @param {number} version
   */
  findFor(version) {
    return this.#version === version ? this.#prediction : null;
  }

  /** The candidates that are shown. */
  get candidates() {
    const all = this.#prediction?.candidates ?? [];
    return this.#isUnfolded ? all : all.filter(({ probability }) => probability >= LEAST_SHOWN);
  }

  /** Let what is shown go, since it is about an earlier drawing, unless the answer to the present one comes at once. */
  expire() {
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.#showPending(), PENDING_MS);
  }

  /** Show an answer.
   * @param {Prediction | null} prediction  null: the slate is empty
   * @param {number} version  of the slate
   * @param {boolean} canAnswer  whether the server knows any label
   */
  show(prediction, version, canAnswer) {
    clearTimeout(this.#expiry);
    this.#prediction = prediction;
    this.#version = version;
    this.#isUnfolded = false;
    const kind = prediction?.decision ?? "idle";
    getById("verdict").dataset.kind = kind;
    getById("verdict").ariaBusy = "false";
    getById("tile").replaceChildren(...buildSign(kind, prediction?.candidates[0]));
    getById("decision").textContent = prediction ? describeVerdict(prediction) : say(canAnswer ? "idle" : "welcome");
    getById("detail").textContent = prediction ? describeDetail(prediction) : say("idleDetail");
    getById("steps").hidden = canAnswer || kind !== "idle";
    this.#showCandidates();
  }

  #showCandidates() {
    const prediction = this.#prediction;
    const rows = this.candidates.map((candidate, i) => this.#buildRow(candidate, i));
    const folded = (prediction?.candidates.length ?? 0) - rows.length;
    if (folded) rows.push(this.#buildFold(folded));
    if (prediction && rows.length) rows.push(this.#buildNoneOfThese(prediction));
    getById("candidates").style.minHeight = "";
    replaceKeepingFocus(getById("candidates"), ...rows);
  }

  /** Show that an answer is on its way. What stands below stays where it is. */
  #showPending() {
    this.#prediction = null;
    getById("verdict").dataset.kind = "idle";
    getById("verdict").ariaBusy = "true";
    getById("steps").hidden = true;
    getById("tile").textContent = "";
    getById("decision").textContent = say("looking");
    getById("detail").textContent = "";
    getById("candidates").style.minHeight = `${getById("candidates").offsetHeight}px`;
    replaceKeepingFocus(getById("candidates"));
  }

  /**
   * @param {Candidate} candidate
   * @param {number} i
   */
  #buildRow(candidate, i) {
    const { label, canonical, forms, probability } = candidate;
    const relation =
      canonical !== label
        ? say("formOf", { label: canonical })
        : forms.length > 1 && say("alsoForms", { labels: forms.slice(1, 1 + FORMS_SHOWN).join(" ") });
    const points = makeElement("span", { class: "points" }, joinFacts(listCodePoints(candidate), relation));
    return makeElement(
      "li",
      {},
      makeElement(
        "button",
        { type: "button", title: say("choose", { label }), onclick: () => this.#onChoose(candidate) },
        makeElement("kbd", { "aria-hidden": "true" }, i + 1),
        buildEvidence(label) ?? makeElement("span"),
        buildClaim(chooseClaim(this.#prediction, i), label),
        makeElement("span", { class: "facts" }, buildBar(probability), points),
        makeElement("span", { class: "percent" }, formatPercent(probability)),
      ),
    );
  }

  /** @param {number} count  of the candidates that are folded away */
  #buildFold(count) {
    const unfold = () => {
      this.#isUnfolded = true;
      this.#showCandidates();
      getById("candidates").querySelectorAll("button")[0].focus();
    };
    return makeElement(
      "li",
      { class: "fold" },
      makeButton(say("candidatesFolded", { count }), unfold, { class: "link" }),
    );
  }

  /** @param {Prediction} prediction */
  #buildNoneOfThese({ decision, unknown_probability: share }) {
    const words = say(decision === "recognized" ? "noItIsElse" : "itIsElse");
    return makeElement(
      "li",
      { class: "none" },
      makeElement(
        "button",
        { type: "button", onclick: () => this.#onNone() },
        makeElement("span", { class: "claim" }, words),
        makeElement(
          "span",
          { class: "facts" },
          buildBar(share),
          makeElement("span", { class: "points" }, say("noneOfThese")),
        ),
        makeElement("span", { class: "percent" }, formatPercent(share)),
      ),
    );
  }
}

/** Return the words for what a tap on a candidate says.
 * @param {Prediction | null} prediction
 * @param {number} i  of the candidate
 */
function chooseClaim(prediction, i) {
  if (prediction?.decision !== "recognized") return "itIs";
  return i === 0 ? "yesItIs" : "noItIs";
}

/** Build a claim around its label, which is set in its script's font.
 * @param {"yesItIs" | "noItIs" | "itIs"} word
 * @param {string} label
 */
function buildClaim(word, label) {
  const [before, after] = say(word).split("{label}");
  return makeElement("span", { class: "claim" }, before, makeElement("span", { class: "form script" }, label), after);
}

/** Build what stands on the tile: the letter with a drawing of it, or the drawing alone where no font has the letter. Where
 * it is nothing, the style sheet shows a pencil.
 * @param {Kind} kind
 * @param {Candidate} [best]
 */
function buildSign(kind, best) {
  if (kind !== "recognized" || !best) return ["unsure", "unknown"].includes(kind) ? ["?"] : [];
  const evidence = buildEvidence(best.label);
  if (!evidence) return [best.label];
  return hasGlyph(best.label) ? [makeElement("span", {}, best.label), evidence] : [evidence];
}

/** @param {Prediction} prediction */
function describeVerdict({ decision, candidates: [best, second] }) {
  if (decision === "unknown") return say("isUnknown");
  if (decision === "nothing_taught") return say("nothingTaught");
  const { label, canonical } = best;
  if (decision === "unsure") {
    return second ? say("isUnsure", { label, other: second.label }) : say("isUnsureAlone", { label });
  }
  return canonical === label ? say("isRecognized", { label }) : say("isForm", { label, canonical });
}

/** @param {Prediction} prediction */
function describeDetail({ decision, candidates: [best], model }) {
  if (best && (decision === "recognized" || !LEARNING_MODELS.includes(model))) {
    return joinFacts(formatPercent(best.probability), listCodePoints(best));
  }
  if (decision === "unsure") return say("pickOne");
  return say(decision === "nothing_taught" ? "tellMeFirst" : "tellMe");
}

/** @param {number} share */
function buildBar(share) {
  const fill = makeElement("span", { class: "fill" });
  fill.style.width = `${Math.max(0.5, 100 * share)}%`;
  return makeElement("span", { class: "bar", "aria-hidden": "true" }, fill);
}

/** @param {Candidate} candidate */
const listCodePoints = ({ code_points: points }) =>
  points.slice(0, POINTS_SHOWN).join(" ") + (points.length > POINTS_SHOWN ? " …" : "");
