// Models: which ones there are, how good they are, which one answers.

import { formatCount, formatSize, formatTime, say } from "../i18n/words.js";
import { evaluate } from "../jobs/evaluation_form.js";
import { get, getWorkspace, post } from "../server/api.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { makeLink } from "../ui/navigation.js";
import { buildHash, formatShare, joinFacts } from "../ui/parts.js";
import { showError, showStatus } from "../ui/status.js";
import { buildTable } from "../ui/table.js";
import { openModel } from "./details.js";
import { buildOnlineForm, buildOnlineStatus } from "./online_learning.js";
import { answerTogether, findTogether, joinNames } from "./together.js";
import { buildTogetherForm } from "./together_form.js";

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
  const together = buildTogetherForm(models, getName, refresh);
  view.replaceChildren(
    buildActiveModel(models, active, refresh, life),
    buildOnlineForm(presets, models, refresh),
    ...(together ? [together] : []),
    buildModelTable(models, active, refresh),
    ...(models.length > 1 ? [] : [buildFirstSteps()]),
  );
}

/** @param {Model} model */
const isFewShot = (model) => model.model_id === FEW_SHOT;

/** @param {Model} model */
const getName = (model) => (isFewShot(model) ? say("fewShot") : model.name);

/**
 * @param {Model[]} models
 * @param {ActiveModel | null} active  null: few-shot
 * @param {() => Promise<void>} refresh
 * @param {AbortSignal} life
 */
function buildActiveModel(models, active, refresh, life) {
  const members = findTogether();
  const online = active?.online && !members.length ? /** @type {OnlineModel} */ (active) : null;
  const own = online ? say("learnsOnline", { name: online.name }) : (active?.name ?? say("fewShot"));
  const name = members.length ? joinNames(members) : own;
  const fewShot = models.find(isFewShot);
  return makeElement(
    "div",
    { class: "answering" },
    makeElement("p", {}, say("answersHere", { workspace: getWorkspace() }), " ", makeElement("strong", {}, name)),
    (active || members.length > 0)
      && fewShot
      && makeButton(say("backToFewShot"), () => activate(fewShot, refresh), { id: "use-few-shot" }),
    online && buildOnlineStatus(online, life),
  );
}

/**
 * @param {Model[]} models
 * @param {ActiveModel | null} active
 * @param {() => Promise<void>} refresh
 */
function buildModelTable(models, active, refresh) {
  /** @type {import("../ui/table.js").Column<Model>[]} */
  const columns = [
    { word: "model", cell: buildTitle, kind: "first" },
    {
      word: "labels",
      cell: (model) => (isFewShot(model) ? "–" : formatCount(model.labels_total)),
      key: (model) => model.labels_total,
      right: true,
    },
    {
      word: "right",
      cell: describeAccuracy,
      key: (model) => model.test_accuracy ?? model.validation_accuracy ?? -1,
      right: true,
    },
    {
      word: "milliseconds",
      cell: ({ latency_ms: ms }) => (ms ? ms.toFixed(ms < 10 ? 1 : 0) : "–"),
      key: (model) => model.latency_ms ?? -1,
      right: true,
    },
    { word: "size", cell: (model) => formatSize(model.size_bytes), key: (model) => model.size_bytes, right: true },
    { word: "dataset", cell: describeSource, key: (model) => model.dataset_name },
    { word: "hash", cell: (model) => buildHash(model.sha256) },
    { word: "", cell: (model) => buildActions(model, models, active, refresh), kind: "actions" },
  ];
  return buildTable(columns, models, { kind: "stacked", name: say("models") });
}

/** @param {Model} model */
function buildTitle(model) {
  const more = isFewShot(model)
    ? say("fewShotNote")
    : joinFacts(model.preset, model.create_time && formatTime(model.create_time));
  const damage = makeElement("small", { class: "warning", title: model.damage }, say("modelDamaged"));
  return [makeElement("strong", {}, getName(model)), makeElement("small", {}, more), model.damage ? damage : null];
}

/** @param {Model} model */
const describeSource = ({ dataset_name: name, dataset_sha256: sha256 }) =>
  name ? [name, makeElement("small", {}, buildHash(sha256))] : "–";

/** @param {Model} model */
function describeAccuracy({ test_accuracy: test, validation_accuracy: validation }) {
  if (test !== null || validation === null) return formatShare(test);
  return [formatShare(validation), makeElement("small", {}, say("onValidation"))];
}

/**
 * @param {Model} model
 * @param {Model[]} models
 * @param {ActiveModel | null} active
 * @param {() => Promise<void>} refresh
 */
function buildActions(model, models, active, refresh) {
  // None where a network learns online, or where several answer together.
  const isActive = !findTogether().length && model.model_id === (active?.model_id ?? FEW_SHOT);
  const menu = say("modelMenu", { name: model.name });
  const open = () => openModel(model.model_id, models, refresh).catch(showError);
  return makeElement(
    "div",
    { class: "row end" },
    isActive
      ? makeElement("span", { class: "state", "data-state": "succeeded" }, say("inUse"))
      : makeButton(say("use"), () => activate(model, refresh)),
    makeButton(say("measure"), () => evaluate(models, [model.model_id])),
    !isFewShot(model) && makeButton("⋯", open, { class: "square", title: menu, "aria-label": menu }),
  );
}

/**
 * @param {Model} model
 * @param {() => Promise<void>} refresh
 */
async function activate(model, refresh) {
  try {
    await post(`/page/models/${model.model_id}/activate`, {});
    answerTogether([]);
    showStatus(say("nowAnswers", { workspace: getWorkspace(), name: getName(model) }));
    await refresh();
  } catch (error) {
    showError(error);
  }
}

function buildFirstSteps() {
  return makeElement(
    "div",
    {},
    makeElement("p", { class: "empty" }, say("modelsEmpty")),
    makeElement(
      "ol",
      { class: "steps" },
      makeElement("li", {}, makeLink(say("firstUpload"), "datasets")),
      makeElement("li", {}, makeLink(say("firstTrain"), "train")),
      makeElement("li", {}, say("firstUse")),
    ),
  );
}
