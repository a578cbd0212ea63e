// Asking for an evaluation: which models, on which data set.

import { say } from "../i18n/words.js";
import { get, post } from "../server/api.js";
import { explain } from "../server/errors.js";
import { closeDialog, showDialog } from "../ui/dialog.js";
import { button, element } from "../ui/dom.js";
import { link, viewOf } from "../ui/navigation.js";
import { distinctNames } from "../ui/names.js";
import { problem } from "../ui/parts.js";
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
    showDialog(say("measureTitle"), form(models, chosen, datasets));
  } else {
    const toDatasets = link(say("datasets"), "datasets", { onclick: () => closeDialog() });
    showDialog(say("measureTitle"), element("p", {}, say("measureNoData")), toDatasets);
  }
}

/**
 * @param {Model[]} models
 * @param {string[]} chosen
 * @param {Dataset[]} datasets
 */
function form(models, chosen, datasets) {
  const boxes = models.map(({ model_id: id }) =>
    element("input", { type: "checkbox", name: "model", value: id, checked: chosen.includes(id) }),
  );
  const modelNames = distinctNames(models);
  const nameOf = (/** @type {number} */ i) =>
    models[i].model_id === "few-shot" ? say("fewShotTaught") : modelNames[i];
  const datasetNames = distinctNames(datasets);
  const dataset = element(
    "select",
    { id: "measure-dataset" },
    datasets.map(({ dataset_id: id }, i) => element("option", { value: id }, datasetNames[i])),
  );
  const quick = element("input", { type: "checkbox" });
  const outcome = element("div");
  const start = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const ids = boxes.filter((box) => box.checked).map((box) => box.value);
    try {
      /** @type {Job} */
      const job = await post("/page/jobs/evaluation", { models: ids, dataset: dataset.value, quick: quick.checked });
      closeDialog();
      location.hash = viewOf("job", job.job_id);
    } catch (error) {
      outcome.replaceChildren(problem(explain(error)));
    }
  };
  const check = (/** @type {HTMLElement} */ box, /** @type {string} */ text) =>
    element("label", { class: "check" }, box, element("span", {}, text));
  return element(
    "form",
    { class: "stack", onsubmit: start },
    element("p", { class: "note" }, say("measureNote", { most: MOST_MODELS })),
    element(
      "div",
      { class: "choices" },
      boxes.map((box, i) => check(box, nameOf(i))),
    ),
    element("label", { class: "field" }, say("dataset"), dataset),
    check(quick, say("quick")),
    element(
      "div",
      { class: "row end" },
      button(say("cancel"), () => closeDialog()),
      element("button", { class: "primary", id: "start-measuring" }, say("measure")),
    ),
    outcome,
  );
}
