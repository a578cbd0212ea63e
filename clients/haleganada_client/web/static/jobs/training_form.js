// Asking for a training: which preset, on which data set, how.

import { formatCount, isServerLanguage, say } from "../i18n/words.js";
import { get, post } from "../server/api.js";
import { explain } from "../server/errors.js";
import { MAX_LABEL_LENGTH } from "../server/limits.js";
import { makeElement } from "../ui/dom.js";
import { makeBackLink, makeLink, nameView } from "../ui/navigation.js";
import { findDistinctNames } from "../ui/names.js";
import { buildProblem, joinFacts } from "../ui/parts.js";
import { SettingInputs } from "./setting_inputs.js";

/** Descriptions of presets; of others the server's own is shown.
 * @type {Record<string, import("../i18n/words.js").Word>}
 */
const PRESET_WORDS = {
  cnn36: "presetCnn36",
  crnn: "presetCrnn",
  "crnn-32x128": "presetCrnn32x128",
  "ppocr-v6-small": "presetPpocr",
  resnet18: "presetResnet18",
  "resnet18-imagenet": "presetResnet18Imagenet",
  "resnet50-transformer": "presetResnet50Transformer",
  "tiny-cnn": "presetTinyCnn",
};

/** @type {ShowView} */
export const trainOn = (view, id) => show(view, { dataset_id: id });

/** Take over the settings of a job.
 * @type {ShowView}
 */
export async function trainAgain(view, id) {
  /** @type {Job} */
  const job = await get(`/page/jobs/${encodeURIComponent(id)}`);
  await show(view, job.training ?? {});
}

/**
 * @param {HTMLElement} view
 * @param {Partial<TrainingJob>} request  what is filled in at first
 */
async function show(view, request) {
  /** @type {[Preset[], Dataset[], Model[]]} */
  const [presets, datasets, models] = await Promise.all([
    get("/page/models/presets"),
    get("/page/datasets"),
    get("/page/models"),
  ]);
  const starts = models.filter(({ preset, damage }) => presets.some(({ name }) => name === preset) && !damage);
  view.replaceChildren(
    makeBackLink("jobs", "jobs"),
    makeElement("div", { class: "heading" }, makeElement("h3", {}, say("newTraining"))),
    datasets.length
      ? buildForm(presets, datasets, starts, request)
      : makeElement("p", { class: "empty" }, say("trainNoData"), " ", makeLink(say("firstUpload"), "datasets")),
  );
}

/**
 * @param {Preset[]} presets
 * @param {Dataset[]} datasets
 * @param {Model[]} starts  models that a training can start from
 * @param {Partial<TrainingJob>} request
 */
function buildForm(presets, datasets, starts, request) {
  const dataset = buildDatasetMenu(datasets, request.dataset_id);
  const name = makeElement("input", {
    id: "train-name",
    maxlength: MAX_LABEL_LENGTH,
    autocomplete: "off",
    spellcheck: "false",
  });
  name.value = request.model_name ?? "";
  const settings = new SettingInputs(request.requested_settings ?? {});
  const preset = buildPresetCards(presets, request.preset, (chosen) => {
    settings.showDefaults(chosen);
    name.placeholder = say("nameDefault", { preset: chosen.name });
  });
  const from = buildStartMenu(starts, (isChosen) => {
    preset.node.disabled = isChosen; // the model says it
    settings.disable("image_size_px", isChosen);
  });
  const outcome = makeElement("div");
  const start = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    try {
      /** @type {Job} */
      const job = await post("/page/jobs/training", {
        preset: from.value() ? "" : preset.value(),
        from_model: from.value(),
        dataset: dataset.value,
        name: name.value.trim(),
        settings: settings.readValues(),
      });
      location.hash = nameView("job", job.job_id);
    } catch (error) {
      outcome.replaceChildren(buildProblem(explain(error)));
    }
  };
  return makeElement(
    "form",
    { class: "stack", id: "training", onsubmit: start },
    preset.node,
    ...from.nodes,
    makeElement(
      "div",
      { class: "fields two" },
      makeElement("label", { class: "field" }, say("dataset"), dataset),
      makeElement("label", { class: "field" }, say("modelName"), name),
    ),
    makeElement("div", { class: "fields" }, settings.buildFields("epochs", "batch_size", "learning_rate")),
    ...settings.buildFields("augment"),
    makeElement(
      "details",
      {},
      makeElement("summary", {}, say("moreSettings")),
      makeElement(
        "div",
        { class: "fields" },
        settings.buildFields(
          "optimizer",
          "schedule",
          "weight_decay",
          "patience",
          "accumulation",
          "frozen_epochs",
          "seed",
          "checkpoint_every",
          "mixed_precision",
          "image_size_px",
          "workers",
          "class_weights",
        ),
      ),
      settings.buildFields("tensorboard"),
    ),
    makeElement(
      "details",
      {},
      makeElement("summary", {}, say("augmentMost")),
      makeElement(
        "div",
        { class: "fields" },
        settings.buildFields("rotation_degrees", "shift", "scale", "tilt", "bend", "ink"),
      ),
    ),
    outcome,
    makeElement(
      "div",
      { class: "row" },
      makeElement("button", { class: "primary", id: "start-training" }, say("startTraining")),
    ),
  );
}

/** Build the menu of models to start from, if there are any.
 * @param {Model[]} models
 * @param {(isChosen: boolean) => void} onChange
 */
function buildStartMenu(models, onChange) {
  const names = findDistinctNames(models);
  const note = makeElement("p", { class: "note", role: "status" });
  const menu = makeElement(
    "select",
    {
      id: "train-from",
      onchange: () => {
        note.textContent = menu.value ? say("fromModelNote") : "";
        onChange(Boolean(menu.value));
      },
    },
    makeElement("option", { value: "" }, say("fromScratch")),
    ...models.map(({ model_id: id }, i) => makeElement("option", { value: id }, names[i])),
  );
  const nodes = models.length ? [makeElement("label", { class: "field" }, say("fromModel"), menu), note] : [];
  return { nodes, value: () => menu.value };
}

/**
 * @param {Dataset[]} datasets
 * @param {string} [chosen]  the id
 */
function buildDatasetMenu(datasets, chosen) {
  const names = findDistinctNames(datasets);
  const options = datasets.map(({ dataset_id: id, labels_total: labels }, i) =>
    makeElement(
      "option",
      { value: id, selected: id === chosen },
      joinFacts(names[i], say("labelsCount", { count: formatCount(labels) })),
    ),
  );
  return makeElement("select", { id: "train-dataset" }, options);
}

/**
 * @param {Preset[]} presets
 * @param {string | undefined} chosen  the name
 * @param {(preset: Preset) => void} onChoose  called at once for the first, and when another is chosen
 */
function buildPresetCards(presets, chosen, onChoose) {
  const first = presets.find(({ name }) => name === chosen) ?? presets[0];
  const card = (/** @type {Preset} */ preset) =>
    makeElement(
      "label",
      { class: "preset" },
      makeElement("input", {
        type: "radio",
        name: "preset",
        value: preset.name,
        checked: preset === first,
        onchange: () => onChoose(preset),
      }),
      makeElement(
        "span",
        {},
        makeElement("strong", {}, preset.name),
        makeElement("small", {}, describePreset(preset)),
        makeElement("small", {}, describeSize(preset)),
      ),
    );
  const node = makeElement(
    "fieldset",
    { class: "presets" },
    makeElement("legend", {}, say("preset")),
    ...presets.map(card),
  );
  onChoose(first);
  return { node, value: () => node.querySelector("input:checked")?.getAttribute("value") ?? first.name };
}

/** @param {Preset} preset */
function describePreset({ name, description }) {
  return isServerLanguage() || !PRESET_WORDS[name] ? description : say(PRESET_WORDS[name]);
}

/** @param {Preset} preset */
function describeSize({ parameters, input_size_px: side, pretrained, needs_network: fetches }) {
  const millions = say("millions", { count: (parameters / 1e6).toFixed(1) });
  return joinFacts(millions, `${side} × ${side} px`, pretrained && "ImageNet", fetches && say("fetchedAtStart"));
}
