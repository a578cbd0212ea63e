// Asking for an evaluation: which models, on which data set.

import { say } from "../i18n/words.js";
import { get, post } from "../server/api.js";
import { explain } from "../server/errors.js";
import { closeDialog, showDialog } from "../ui/dialog.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { makeLink, nameView } from "../ui/navigation.js";
import { findDistinctNames } from "../ui/names.js";
import { buildProblem } from "../ui/parts.js";
import { showError } from "../ui/status.js";

const MOST_MODELS = 8;

/** Ask in a dialog what to evaluate, then start it.
 * @param {Model[]} models  which can be chosen
 * @param {string[]} chosen  ids
 */
export async function evaluate(models, chosen) {
  /** @type {Dataset[]} */
  let datasets;
  try {
    datasets = await get("/page/datasets");
  } catch (error) {
    showError(error);
    return;
  }
  if (datasets.length) {
    showDialog(say("measureTitle"), buildForm(models, chosen, datasets));
  } else {
    const toDatasets = makeLink(say("datasets"), "datasets", { onclick: () => closeDialog() });
    showDialog(say("measureTitle"), makeElement("p", {}, say("measureNoData")), toDatasets);
  }
}

/**
 * @param {Model[]} models
 * @param {string[]} chosen
 * @param {Dataset[]} datasets
 */
function buildForm(models, chosen, datasets) {
  const boxes = models.map(({ model_id: id }) =>
    makeElement("input", { type: "checkbox", name: "model", value: id, checked: chosen.includes(id) }),
  );
  const modelNames = findDistinctNames(models);
  const nameOf = (/** @type {number} */ i) =>
    models[i].model_id === "few-shot" ? say("fewShotTaught") : modelNames[i];
  const datasetNames = findDistinctNames(datasets);
  const dataset = makeElement(
    "select",
    { id: "measure-dataset" },
    datasets.map(({ dataset_id: id }, i) => makeElement("option", { value: id }, datasetNames[i])),
  );
  const quick = makeElement("input", { type: "checkbox" });
  const outcome = makeElement("div");
  const start = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const ids = boxes.filter((box) => box.checked).map((box) => box.value);
    try {
      /** @type {Job} */
      const job = await post("/page/jobs/evaluation", { models: ids, dataset: dataset.value, quick: quick.checked });
      closeDialog();
      location.hash = nameView("job", job.job_id);
    } catch (error) {
      outcome.replaceChildren(buildProblem(explain(error)));
    }
  };
  const check = (/** @type {HTMLElement} */ box, /** @type {string} */ text) =>
    makeElement("label", { class: "check" }, box, makeElement("span", {}, text));
  return makeElement(
    "form",
    { class: "stack", onsubmit: start },
    makeElement("p", { class: "note" }, say("measureNote", { most: MOST_MODELS })),
    makeElement(
      "div",
      { class: "choices" },
      boxes.map((box, i) => check(box, nameOf(i))),
    ),
    makeElement("label", { class: "field" }, say("dataset"), dataset),
    check(quick, say("quick")),
    makeElement(
      "div",
      { class: "row end" },
      makeButton(say("cancel"), () => closeDialog()),
      makeElement("button", { class: "primary", id: "start-measuring" }, say("measure")),
    ),
    outcome,
  );
}
