// One model: all that is known of it, files to download, deletion.

import { count, moment, say } from "../i18n/words.js";
import { evaluate } from "../jobs/evaluation_form.js";
import { get, url } from "../server/api.js";
import { deleteByName } from "../ui/deletion.js";
import { closeDialog, showDialog } from "../ui/dialog.js";
import { button, element } from "../ui/dom.js";
import { factList, problem, share } from "../ui/parts.js";
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
    element("div", {}, model.damage ? problem(say("modelDamagedText", { error: model.damage })) : null),
    facts(model),
    element("p", { class: "script labels" }, shownLabels + (model.labels.length > LABELS_SHOWN ? " …" : "")),
    element("div", { class: "downloads" }, download(id, "float32", "export_onnx"), download(id, "int8", "export_int8")),
    element(
      "div",
      { class: "row end" },
      button(say("measure"), evaluateThis),
      button(say("deleteModel"), () => remove(model, refresh), { class: "danger" }),
    ),
  );
}

/** @param {Model} model */
function facts(model) {
  const workspaces = [...model.active_in, ...model.online_in.map((name) => say("learnsOnline", { name }))];
  return factList([
    [say("preset"), model.preset],
    [say("made"), model.create_time && moment(model.create_time)],
    [say("trainedOn"), model.dataset_name],
    [say("onTest"), model.test_accuracy === null ? null : share(model.test_accuracy)],
    [say("bestAccuracy"), model.validation_accuracy === null ? null : share(model.validation_accuracy)],
    [say("parameters"), count(model.parameters)],
    [say("input"), `${model.input_size_px} × ${model.input_size_px} px`],
    [say("usedIn"), workspaces.join(", ")],
    ["SHA-256", element("code", { class: "long" }, model.sha256)],
    [say("datasetHash"), element("code", { class: "long" }, model.dataset_sha256)],
  ]);
}

/**
 * @param {string} id
 * @param {"float32" | "int8"} precision
 * @param {"export_onnx" | "export_int8"} word
 */
function download(id, precision, word) {
  return element(
    "a",
    { class: "download", href: url(`/page/models/${id}/export`, { precision }), download: true },
    element("strong", {}, say(word)),
    element("small", {}, say(`${word}_note`)),
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
