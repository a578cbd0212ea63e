// Models: what there is, how good it is, which one answers; use, measure, take along, delete.

import { currentWorkspace, get, post, url } from "../api.js";
import { closeDialog, showDialog } from "../dialog.js";
import { button, element } from "../dom.js";
import { report, tell } from "../status.js";
import { count, moment, say, size } from "../words.js";
import { deleteNamed } from "./deleting.js";
import { learnAlongForm, learningStatus } from "./learning_along.js";
import { measure } from "./measuring.js";
import { facts, hash, link, problem, share } from "./parts.js";
import { table } from "./sortable.js";

const FEW_SHOT = "few-shot";
const LABELS_SHOWN = 200;

export async function showModels(view, _, life) {
  const [presets, models, active] = await Promise.all(["/presets", "", "/active"].map((path) => get(`/page/models${path}`)));
  const again = async () => showModels(view, "", life);
  view.replaceChildren(answering(models, active, again, life), learnAlongForm(presets, models, again), models.length > 1 ? list(models, active, again) : firstSteps(models, active, again));
}

const isFewShot = (model) => model.model_id === FEW_SHOT;
const nameOf = (model) => (isFewShot(model) ? say("fewShot") : model.name);

// active: what answers here, null if that is few-shot; with `online` where it learns along.
function answering(models, active, again, life) {
  const name = active?.online ? say("learnsAlong", { name: active.name }) : active?.name ?? say("fewShot");
  return element("div", { class: "answering" },
    element("p", {}, say("answersHere", { workspace: currentWorkspace() }), " ", element("strong", {}, name)),
    active && button(say("backToFewShot"), () => use(models.find(isFewShot), again), { id: "use-few-shot" }),
    active?.online && learningStatus(active, life));
}

function list(models, active, again) {
  return table([
    { word: "model", cell: title, kind: "first" },
    { word: "labels", cell: (model) => (isFewShot(model) ? "–" : count(model.labels_total)), key: (model) => model.labels_total, right: true },
    { word: "right", cell: accuracy, key: (model) => model.test_accuracy ?? model.validation_accuracy ?? -1, right: true },
    { word: "milliseconds", cell: ({ latency_ms: ms }) => (ms ? ms.toFixed(ms < 10 ? 1 : 0) : "–"), key: (model) => model.latency_ms ?? -1, right: true },
    { word: "size", cell: (model) => size(model.size_bytes), key: (model) => model.size_bytes, right: true },
    { word: "dataset", cell: learnedFrom, key: (model) => model.dataset_name },
    { word: "hash", cell: (model) => hash(model.sha256) },
    { word: "", cell: (model) => actions(model, models, active, again), kind: "actions" },
  ], models, { kind: "stacked", name: say("models") });
}

function title(model) {
  const more = isFewShot(model) ? say("fewShotNote") : `${model.preset} · ${moment(model.create_time)}`;
  return [element("strong", {}, nameOf(model)), element("small", {}, more),
    model.damage && element("small", { class: "warning", title: model.damage }, say("modelDamaged"))].filter(Boolean);
}

function learnedFrom({ dataset_name: name, dataset_sha256: sha256 }) {
  return name ? [name, element("small", {}, hash(sha256))] : "–";
}

const usedIn = (model) => [...model.active_in, ...model.online_in.map((name) => say("learnsAlong", { name }))];

function accuracy(model) {
  if (model.test_accuracy !== null) return share(model.test_accuracy);
  if (model.validation_accuracy === null) return "–";
  return [share(model.validation_accuracy), element("small", {}, say("onValidation"))];
}

function actions(model, models, active, again) {
  const here = model.model_id === (active?.model_id ?? FEW_SHOT); // none of them where a network learns along
  return element("div", { class: "row end" },
    here ? element("span", { class: "state", "data-state": "succeeded" }, say("inUse")) : button(say("use"), () => use(model, again)),
    button(say("measure"), () => measure(models, [model.model_id])),
    !isFewShot(model) && button("⋯", () => openModel(model, models, again).catch(report), { class: "square", title: say("modelMenu", { name: model.name }), "aria-label": say("modelMenu", { name: model.name }) }));
}

async function use(model, again) {
  try {
    await post(`/page/models/${model.model_id}/activate`, {});
    tell(say("nowAnswers", { workspace: currentWorkspace(), name: nameOf(model) }));
    await again();
  } catch (error) {
    report(error);
  }
}

function firstSteps(models, active, again) {
  return element("div", {}, list(models, active, again), element("p", { class: "empty" }, say("modelsEmpty")),
    element("ol", { class: "steps" },
      element("li", {}, link(say("firstUpload"), "datasets")),
      element("li", {}, link(say("firstTrain"), "train")),
      element("li", {}, say("firstUse"))));
}

// One model: all that is known of it, files to take along, the way out.

async function openModel({ model_id: id }, models, again) {
  const model = await get(`/page/models/${id}`);
  const download = (precision, word) => element("a", { class: "download", href: url(`/page/models/${id}/export`, { precision }), download: true },
    element("strong", {}, say(word)), element("small", {}, say(`${word}_note`)));
  showDialog(model.name,
    element("div", {}, model.damage && problem(say("modelDamagedText", { error: model.damage }))),
    facts([
      [say("preset"), model.preset], [say("made"), moment(model.create_time)], [say("trainedOn"), model.dataset_name],
      [say("onTest"), model.test_accuracy === null ? null : share(model.test_accuracy)],
      [say("bestAccuracy"), model.validation_accuracy === null ? null : share(model.validation_accuracy)],
      [say("parameters"), count(model.parameters)], [say("input"), `${model.input_size_px} × ${model.input_size_px} px`],
      [say("usedIn"), usedIn(model).join(", ")], ["SHA-256", element("code", { class: "long" }, model.sha256)],
      [say("datasetHash"), element("code", { class: "long" }, model.dataset_sha256)],
    ]),
    element("p", { class: "script labels" }, model.labels.slice(0, LABELS_SHOWN).join(" ") + (model.labels.length > LABELS_SHOWN ? " …" : "")),
    element("div", { class: "downloads" }, download("float32", "export_onnx"), download("int8", "export_int8")),
    element("div", { class: "row end" }, button(say("measure"), () => { closeDialog(); measure(models, [id]); }),
      button(say("deleteModel"), () => remove(model, again), { class: "danger" })));
}

function remove(model, again) {
  const gone = async (message) => { tell(message); await again(); };
  return deleteNamed(`/page/models/${model.model_id}`, model.name, say("deleteModelText", { name: model.name }), gone);
}
