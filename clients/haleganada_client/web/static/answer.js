// What the server makes of the drawing: a verdict in words, candidates with bars, code points and forms.

import { byId, element } from "./dom.js";
import { percent, say } from "./words.js";

const LEARN = ["few-shot", "online"]; // whatever else answers does not learn, so nothing is promised for it

export class Answer {
  #prediction = null;
  #version = -1;
  #onChoose;

  // onChoose(candidate): a candidate was picked as the right one.
  constructor(onChoose) {
    this.#onChoose = onChoose;
  }

  // The prediction for this version of the slate; null if it is for another one.
  for(version) { return this.#version === version ? this.#prediction : null; }

  get candidates() { return this.#prediction?.candidates ?? []; }

  // prediction: null for an empty slate. anythingTaught: chooses the words for that.
  show(prediction, version, anythingTaught) {
    this.#prediction = prediction;
    this.#version = version;
    const best = prediction?.candidates[0];
    const kind = prediction?.decision ?? "idle";
    byId("verdict").dataset.kind = kind;
    byId("tile").textContent = sign(kind, best);
    byId("decision").textContent = verdict(kind, prediction, anythingTaught);
    byId("detail").textContent = detail(kind, best, prediction?.model);
    byId("steps").hidden = anythingTaught || kind !== "idle";
    const rows = this.candidates.map((candidate, i) => this.#row(candidate, i));
    byId("candidates").replaceChildren(...rows, ...(rows.length ? [noneOfThese(prediction.unknown_probability)] : []));
  }

  #row(candidate, i) {
    const form = candidate.canonical === candidate.label ? "" : say("formOf", { label: candidate.canonical });
    const others = candidate.forms.length > 1 && !form ? say("alsoForms", { labels: candidate.forms.slice(1, 6).join(" ") }) : "";
    return element("li", {}, element(
      "button",
      { type: "button", title: say("choose", { label: candidate.label }), onclick: () => this.#onChoose(candidate) },
      element("kbd", { "aria-hidden": "true" }, String(i + 1)),
      element("span", { class: "form script" }, candidate.label),
      element("span", { class: "facts" }, bar(candidate.probability), element("span", { class: "points" }, [shortPoints(candidate), form, others].filter(Boolean).join(" · "))),
      element("span", { class: "percent" }, percent(candidate.probability)),
    ));
  }
}

function sign(kind, best) {
  if (kind === "recognized") return best.label;
  return ["unsure", "unknown"].includes(kind) ? "?" : ""; // a pencil, by the style sheet
}

function verdict(kind, prediction, anythingTaught) {
  const [best, second] = prediction?.candidates ?? [];
  if (kind === "recognized" && best.canonical !== best.label) return say("isForm", { label: best.label, canonical: best.canonical });
  if (kind === "recognized") return say("isRecognised", { label: best.label });
  if (kind === "unsure") return second ? say("isUnsure", { label: best.label, other: second.label }) : say("isUnsureAlone", { label: best.label });
  if (kind === "unknown") return say("isUnknown");
  if (kind === "nothing_taught") return say("nothingTaught");
  return say(anythingTaught ? "idle" : "welcome");
}

function detail(kind, best, model) {
  if (kind === "recognized" || (best && !LEARN.includes(model))) return `${percent(best.probability)} · ${shortPoints(best)}`;
  return say({ unsure: "pickOne", unknown: "tellMe", nothing_taught: "tellMeFirst", idle: "idleDetail" }[kind]);
}

function bar(share) {
  const fill = element("span", { class: "fill" });
  fill.style.width = `${Math.max(0.5, 100 * share)}%`;
  return element("span", { class: "bar", "aria-hidden": "true" }, fill);
}

function noneOfThese(share) {
  return element("li", { class: "none" }, element("span"), element("span", { class: "form" }, "–"),
    element("span", { class: "facts" }, bar(share), element("span", { class: "points" }, say("noneOfThese"))),
    element("span", { class: "percent" }, percent(share)));
}

const MOST_POINTS = 4;

function shortPoints({ code_points: points }) {
  return points.slice(0, MOST_POINTS).join(" ") + (points.length > MOST_POINTS ? " …" : "");
}
