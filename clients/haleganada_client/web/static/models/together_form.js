// Choosing models that answer together.

import { say } from "../i18n/words.js";
import { ENSEMBLE_MODELS } from "../server/limits.js";
import { makeElement } from "../ui/dom.js";
import { findDistinctNames } from "../ui/names.js";
import { showStatus } from "../ui/status.js";
import { answerTogether, findTogether, joinNames } from "./together.js";

/** Build the form, null where there are too few models.
 * @param {Model[]} models
 * @param {(model: Model) => string} getName
 * @param {() => Promise<void>} refresh  shows the view anew
 */
export function buildTogetherForm(models, getName, refresh) {
  const whole = models.filter(({ damage }) => !damage);
  if (whole.length < ENSEMBLE_MODELS.min) return null;
  const names = findDistinctNames(whole.map((model) => ({ ...model, name: getName(model) })));
  const chosen = findTogether().map(({ model_id: id }) => id);
  const boxes = whole.map(({ model_id: id }) =>
    makeElement("input", { type: "checkbox", name: "together", value: id, checked: chosen.includes(id) }),
  );
  const submit = makeElement("button", { class: "primary", id: "answer-together" }, say("answerTogether"));
  const listChosen = () =>
    whole.flatMap(({ model_id: id }, i) => (boxes[i].checked ? [{ model_id: id, name: names[i] }] : []));
  const allow = () => {
    const count = listChosen().length;
    submit.disabled = count < ENSEMBLE_MODELS.min || count > ENSEMBLE_MODELS.max;
  };
  const start = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const members = listChosen();
    answerTogether(members);
    showStatus(say("nowTogether", { names: joinNames(members) }));
    await refresh();
  };
  const checks = boxes.map((box, i) =>
    makeElement("label", { class: "check" }, box, makeElement("span", {}, names[i])),
  );
  allow();
  return makeElement(
    "details",
    { class: "learn-online" },
    makeElement("summary", {}, say("answerTogetherTitle")),
    makeElement(
      "form",
      { class: "stack", onsubmit: start, onchange: allow },
      makeElement("p", { class: "note" }, say("answerTogetherNote", ENSEMBLE_MODELS)),
      makeElement("div", { class: "choices" }, checks),
      makeElement("div", { class: "row" }, submit),
    ),
  );
}
