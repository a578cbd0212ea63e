// What the server makes of the drawing: words, candidates with bars, code points and forms.

import { byId, element } from "./dom.js";
import { say } from "./words.js";

let shown = null;

export const prediction = () => shown;

export function showPrediction(answer, onChoose) {
  shown = answer;
  const decision = byId("decision");
  decision.dataset.kind = answer?.decision ?? "";
  decision.textContent = answer ? describe(answer) : "";
  byId("candidates").replaceChildren(...(answer?.candidates ?? []).map((candidate, i) => row(candidate, i, onChoose)));
}

function describe(answer) {
  const best = answer.candidates[0];
  if (answer.decision === "recognised") return say("isRecognised", { label: best.label });
  return say({ unsure: "isUnsure", unknown: "isUnknown", nothing_taught: "nothingTaught" }[answer.decision]);
}

function row(candidate, i, onChoose) {
  const percent = `${(100 * candidate.probability).toFixed(1)} %`;
  const share = element("span", { class: "share", "aria-hidden": "true" });
  share.style.width = `${100 * candidate.probability}%`;
  const form = candidate.canonical === candidate.label ? "" : ` · ${say("formOf", { label: candidate.canonical })}`;
  return element("li", {}, element(
    "button",
    { type: "button", title: say("choose"), onclick: () => onChoose(candidate) },
    share,
    element("span", { class: "key", "aria-hidden": "true" }, String(i + 1)),
    element("span", { class: "form" }, candidate.label),
    element("span", { class: "points" }, candidate.code_points.join(" ") + form),
    element("span", { class: "percent" }, percent),
  ));
}
