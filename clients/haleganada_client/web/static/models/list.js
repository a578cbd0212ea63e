// Models: which ones there are, how good they are, which one answers.

import { count, moment, say, size } from "../i18n/words.js";
import { evaluate } from "../jobs/evaluation_form.js";
import { currentWorkspace, get, post } from "../server/api.js";
import { button, element } from "../ui/dom.js";
import { link } from "../ui/navigation.js";
import { hash, joinFacts, share } from "../ui/parts.js";
import { showError, showStatus } from "../ui/status.js";
import { table } from "../ui/table.js";
import { openModel } from "./details.js";
import { onlineForm, onlineStatus } from "./online_learning.js";

const FEW_SHOT = "few-shot";

/** @type {ShowView} */
export async function showModels(view, _, life) {
  /** @type {[Preset[], Model[], ActiveModel | null]} */
  const [presets, models, active] = await Promise.all([
    get("/page/models/presets"),
    get("/page/models"),
    get("/page/models/active"),
  ]);
  const refresh = () => showModels(view, "", life);
  view.replaceChildren(
    activeModel(models, active, refresh, life),
    onlineForm(presets, models, refresh),
    modelTable(models, active, refresh),
    ...(models.length > 1 ? [] : [firstSteps()]),
  );
}

/** @param {Model} model */
const isFewShot = (model) => model.model_id === FEW_SHOT;

/** @param {Model} model */
const nameOf = (model) => (isFewShot(model) ? say("fewShot") : model.name);

/**
 * @param {Model[]} models
 * @param {ActiveModel | null} active  null: few-shot
 * @param {() => Promise<void>} refresh
 * @param {AbortSignal} life
 */
function activeModel(models, active, refresh, life) {
  const online = active?.online ? /** @type {OnlineModel} */ (active) : null;
  const name = online ? say("learnsOnline", { name: online.name }) : (active?.name ?? say("fewShot"));
  const fewShot = models.find(isFewShot);
  return element(
    "div",
    { class: "answering" },
    element("p", {}, say("answersHere", { workspace: currentWorkspace() }), " ", element("strong", {}, name)),
    active && fewShot && button(say("backToFewShot"), () => activate(fewShot, refresh), { id: "use-few-shot" }),
    online && onlineStatus(online, life),
  );
}

/**
 * @param {Model[]} models
 * @param {ActiveModel | null} active
 * @param {() => Promise<void>} refresh
 */
function modelTable(models, active, refresh) {
  /** @type {import("../ui/table.js").Column<Model>[]} */
  const columns = [
    { word: "model", cell: title, kind: "first" },
    {
      word: "labels",
      cell: (model) => (isFewShot(model) ? "–" : count(model.labels_total)),
      key: (model) => model.labels_total,
      right: true,
    },
    {
      word: "right",
      cell: accuracy,
      key: (model) => model.test_accuracy ?? model.validation_accuracy ?? -1,
      right: true,
    },
    {
      word: "milliseconds",
      cell: ({ latency_ms: ms }) => (ms ? ms.toFixed(ms < 10 ? 1 : 0) : "–"),
      key: (model) => model.latency_ms ?? -1,
      right: true,
    },
    { word: "size", cell: (model) => size(model.size_bytes), key: (model) => model.size_bytes, right: true },
    { word: "dataset", cell: source, key: (model) => model.dataset_name },
    { word: "hash", cell: (model) => hash(model.sha256) },
    { word: "", cell: (model) => actions(model, models, active, refresh), kind: "actions" },
  ];
  return table(columns, models, { kind: "stacked", name: say("models") });
}

/** @param {Model} model */
function title(model) {
  const more = isFewShot(model)
    ? say("fewShotNote")
    : joinFacts(model.preset, model.create_time && moment(model.create_time));
  const damage = element("small", { class: "warning", title: model.damage }, say("modelDamaged"));
  return [element("strong", {}, nameOf(model)), element("small", {}, more), model.damage ? damage : null];
}

/** @param {Model} model */
const source = ({ dataset_name: name, dataset_sha256: sha256 }) =>
  name ? [name, element("small", {}, hash(sha256))] : "–";

/** @param {Model} model */
function accuracy({ test_accuracy: test, validation_accuracy: validation }) {
  if (test !== null || validation === null) return share(test);
  return [share(validation), element("small", {}, say("onValidation"))];
}

/**
 * @param {Model} model
 * @param {Model[]} models
 * @param {ActiveModel | null} active
 * @param {() => Promise<void>} refresh
 */
function actions(model, models, active, refresh) {
  const isActive = model.model_id === (active?.model_id ?? FEW_SHOT); // none where a network learns online
  const menu = say("modelMenu", { name: model.name });
  const open = () => openModel(model.model_id, models, refresh).catch(showError);
  return element(
    "div",
    { class: "row end" },
    isActive
      ? element("span", { class: "state", "data-state": "succeeded" }, say("inUse"))
      : button(say("use"), () => activate(model, refresh)),
    button(say("measure"), () => evaluate(models, [model.model_id])),
    !isFewShot(model) && button("⋯", open, { class: "square", title: menu, "aria-label": menu }),
  );
}

/**
 * @param {Model} model
 * @param {() => Promise<void>} refresh
 */
async function activate(model, refresh) {
  try {
    await post(`/page/models/${model.model_id}/activate`, {});
    showStatus(say("nowAnswers", { workspace: currentWorkspace(), name: nameOf(model) }));
    await refresh();
  } catch (error) {
    showError(error);
  }
}

function firstSteps() {
  return element(
    "div",
    {},
    element("p", { class: "empty" }, say("modelsEmpty")),
    element(
      "ol",
      { class: "steps" },
      element("li", {}, link(say("firstUpload"), "datasets")),
      element("li", {}, link(say("firstTrain"), "train")),
      element("li", {}, say("firstUse")),
    ),
  );
}
