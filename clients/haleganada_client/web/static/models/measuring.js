// Asking for an evaluation: which models, on which data set.

import { get, post } from "../api.js";
import { closeDialog, showDialog } from "../dialog.js";
import { button, element } from "../dom.js";
import { report } from "../status.js";
import { say } from "../words.js";
import { link, namesOf, place, problem } from "./parts.js";

const MOST_MODELS = 8;

// models: those that can be chosen; chosen: ids.
export async function measure(models, chosen) {
  const datasets = await get("/page/datasets").catch((error) => { report(error); return null; });
  if (!datasets) return;
  if (!datasets.length) {
    showDialog(say("measureTitle"), element("p", {}, say("measureNoData")), link(say("datasets"), "datasets", { onclick: () => closeDialog() }));
    return;
  }
  showDialog(say("measureTitle"), form(models, chosen, datasets));
}

function form(models, chosen, datasets) {
  const boxes = models.map((model) => element("input", { type: "checkbox", name: "model", value: model.model_id, checked: chosen.includes(model.model_id) }));
  const [modelNames, datasetNames] = [namesOf(models), namesOf(datasets)];
  const dataset = element("select", { id: "measure-dataset" }, datasets.map((one, i) => element("option", { value: one.dataset_id }, datasetNames[i])));
  const quick = element("input", { type: "checkbox" });
  const start = async (event) => {
    event.preventDefault();
    const ids = boxes.filter((box) => box.checked).map((box) => box.value);
    try {
      const job = await post("/page/jobs/evaluation", { models: ids, dataset: dataset.value, quick: quick.checked });
      closeDialog();
      location.hash = place("job", job.job_id);
    } catch (error) {
      form.querySelector(".problem")?.remove();
      form.append(problem(error.message || say("noAnswer")));
    }
  };
  const check = (box, text) => element("label", { class: "check" }, box, element("span", {}, text));
  const form = element("form", { class: "stack", onsubmit: start },
    element("p", { class: "note" }, say("measureNote", { most: MOST_MODELS })),
    element("div", { class: "choices" }, boxes.map((box, i) => check(box, models[i].model_id === "few-shot" ? say("fewShotTaught") : modelNames[i]))),
    element("label", { class: "field" }, say("dataset"), dataset),
    check(quick, say("quick")),
    element("div", { class: "row end" }, button(say("cancel"), () => closeDialog()), element("button", { class: "primary", id: "start-measuring" }, say("measure"))));
  return form;
}
