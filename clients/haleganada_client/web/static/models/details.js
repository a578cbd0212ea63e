// One model: all that is known of it, files to download, deletion.

import { formatCount, formatTime, say } from "../i18n/words.js";
import { evaluate } from "../jobs/evaluation_form.js";
import { get, makeUrl } from "../server/api.js";
import { deleteByName } from "../ui/deletion.js";
import { closeDialog, showDialog } from "../ui/dialog.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { buildFactList, buildProblem, formatShare } from "../ui/parts.js";
import { showStatus } from "../ui/status.js";

const LABELS_SHOWN = 200;

/** Show a model in a dialog.
 * @param {string} id
 * @param {Model[]} models  which can be evaluated beside it
 * @param {() => Promise<void>} refresh  shows the list anew
 */
export async function openModel(id, models, refresh) {
  /** @type {Model} */
  const model = await get(`/page/models/${id}`);
  const shownLabels = model.labels.slice(0, LABELS_SHOWN).join(" ");
  const evaluateThis = () => {
    closeDialog();
    evaluate(models, [id]);
  };
  showDialog(
    model.name,
    makeElement("div", {}, model.damage ? buildProblem(say("modelDamagedText", { error: model.damage })) : null),
    buildFacts(model),
    makeElement("p", { class: "script labels" }, shownLabels + (model.labels.length > LABELS_SHOWN ? " …" : "")),
    makeElement(
      "div",
      { class: "downloads" },
      buildDownload(id, "float32", "export_onnx"),
      buildDownload(id, "int8", "export_int8"),
    ),
    makeElement(
      "div",
      { class: "row end" },
      makeButton(say("measure"), evaluateThis),
      makeButton(say("deleteModel"), () => remove(model, refresh), { class: "danger" }),
    ),
  );
}

/** @param {Model} model */
function buildFacts(model) {
  const workspaces = [...model.active_in, ...model.online_in.map((name) => say("learnsOnline", { name }))];
  return buildFactList([
    [say("preset"), model.preset],
    [say("made"), model.create_time && formatTime(model.create_time)],
    [say("trainedOn"), model.dataset_name],
    [say("onTest"), model.test_accuracy === null ? null : formatShare(model.test_accuracy)],
    [say("bestAccuracy"), model.validation_accuracy === null ? null : formatShare(model.validation_accuracy)],
    [say("parameters"), formatCount(model.parameters)],
    [say("input"), model.input_size_px ? `${model.input_size_px} × ${model.input_size_px} px` : null],
    [say("usedIn"), workspaces.join(", ")],
    ["SHA-256", makeElement("code", { class: "long" }, model.sha256)],
    [say("datasetHash"), makeElement("code", { class: "long" }, model.dataset_sha256)],
  ]);
}

/**
 * @param {string} id
 * @param {"float32" | "int8"} precision
 * @param {"export_onnx" | "export_int8"} word
 */
function buildDownload(id, precision, word) {
  return makeElement(
    "a",
    { class: "download", href: makeUrl(`/page/models/${id}/export`, { precision }), download: true },
    makeElement("strong", {}, say(word)),
    makeElement("small", {}, say(`${word}_note`)),
  );
}

/**
 * @param {Model} model
 * @param {() => Promise<void>} refresh
 */
function remove({ model_id: id, name }, refresh) {
  const done = async (/** @type {string} */ message) => {
    showStatus(message);
    await refresh();
  };
  return deleteByName({ path: `/page/models/${id}`, name, text: say("deleteModelText", { name }), done });
}
