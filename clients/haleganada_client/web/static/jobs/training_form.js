// Asking for a training: which preset, on which data set, how.

import { formatCount, isServerLanguage, say } from "../i18n/words.js";
import { get, post } from "../server/api.js";
import { explain } from "../server/errors.js";
import { MAX_LABEL_LENGTH } from "../server/limits.js";
import { makeElement } from "../ui/dom.js";
import { makeBackLink, makeLink, nameView } from "../ui/navigation.js";
import { findDistinctNames } from "../ui/names.js";
import { buildProblem, joinFacts } from "../ui/parts.js";
import { listTrainingSettings } from "./settings.js";

/** Descriptions of presets; of others the server's own is shown.
 * @type {Record<string, import("../i18n/words.js").Word>}
 */
const PRESET_WORDS = {
  cnn36: "presetCnn36",
  resnet18: "presetResnet18",
  "resnet18-imagenet": "presetResnet18Imagenet",
  "resnet50-transformer": "presetResnet50Transformer",
  "tiny-cnn": "presetTinyCnn",
};
const PRESET_DEFAULTS = /** @type {const} */ (["epochs", "batch_size", "learning_rate"]);

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
  /** @type {[Preset[], Dataset[]]} */
  const [presets, datasets] = await Promise.all([get("/page/models/presets"), get("/page/datasets")]);
  view.replaceChildren(
    makeBackLink("jobs", "jobs"),
    makeElement("div", { class: "heading" }, makeElement("h3", {}, say("newTraining"))),
    datasets.length
      ? buildForm(presets, datasets, request)
      : makeElement("p", { class: "empty" }, say("trainNoData"), " ", makeLink(say("firstUpload"), "datasets")),
  );
}

/**
 * @param {Preset[]} presets
 * @param {Dataset[]} datasets
 * @param {Partial<TrainingJob>} request
 */
function buildForm(presets, datasets, request) {
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
  const outcome = makeElement("div");
  const start = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    try {
      /** @type {Job} */
      const job = await post("/page/jobs/training", {
        preset: preset.value(),
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
        ),
      ),
      settings.buildFields("tensorboard"),
    ),
    outcome,
    makeElement(
      "div",
      { class: "row" },
      makeElement("button", { class: "primary", id: "start-training" }, say("startTraining")),
    ),
  );
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

/** Inputs for the settings of a training. */
class SettingInputs {
  #settings = listTrainingSettings();
  /** @type {Record<keyof TrainingSettings, HTMLInputElement | HTMLSelectElement>} */
  #inputs;

  /** @param {TrainingSettings} given  what is filled in at first */
  constructor(given) {
    const names = /** @type {(keyof TrainingSettings)[]} */ (Object.keys(this.#settings));
    const inputs = names.map((name) => [name, this.#buildInput(name, given[name])]);
    this.#inputs = Object.fromEntries(inputs);
  }

  /** Build the labeled inputs of some settings.
   * @param {...(keyof TrainingSettings)} names
   */
  buildFields(...names) {
    return names.map((name) => {
      const { word, isOn } = this.#settings[name];
      const input = this.#inputs[name];
      return isOn === undefined
        ? makeElement("label", { class: "field" }, say(word), input)
        : makeElement("label", { class: "check" }, input, makeElement("span", {}, say(word)));
    });
  }

  /** Show the defaults of a preset where nothing is filled in.
   * @param {Preset} preset
   */
  showDefaults(preset) {
    for (const name of PRESET_DEFAULTS) this.#inputs[name].setAttribute("placeholder", String(preset[name]));
  }

  /** Return the settings that differ from the defaults.
   * @returns {TrainingSettings}
   */
  readValues() {
    const inputs = /** @type {[keyof TrainingSettings, HTMLInputElement][]} */ (Object.entries(this.#inputs));
    const values = inputs.map(([name, input]) => [name, this.#readValue(name, input)]);
    return Object.fromEntries(values.filter(([, value]) => value !== undefined));
  }

  /**
   * @param {keyof TrainingSettings} name
   * @param {string | number | boolean | null} [given]
   */
  #buildInput(name, given) {
    const { number, choices, isOn } = this.#settings[name];
    if (isOn !== undefined) return makeElement("input", { type: "checkbox", name, checked: given ?? isOn });
    if (!choices) {
      return makeElement("input", { type: "number", inputmode: "decimal", name, value: given, ...number });
    }
    const options = Object.entries(choices).map(([value, text]) =>
      makeElement("option", { value, selected: value === String(given) }, text),
    );
    return makeElement("select", { name }, makeElement("option", { value: "" }, say("asUsual")), ...options);
  }

  /** Return what a setting is set to, undefined where that is the default.
   * @param {keyof TrainingSettings} name
   * @param {HTMLInputElement} input  or a select, which has no more than a value
   */
  #readValue(name, input) {
    const { number, isOn } = this.#settings[name];
    if (isOn !== undefined) return input.checked === isOn ? undefined : input.checked;
    if (input.value === "") return undefined;
    if (number) return Number(input.value);
    return { true: true, false: false }[input.value] ?? input.value;
  }
}
