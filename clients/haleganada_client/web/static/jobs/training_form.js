// Asking for a training: which preset, on which data set, how.

import { count, isServerLanguage, say } from "../i18n/words.js";
import { get, post } from "../server/api.js";
import { explain } from "../server/errors.js";
import { MAX_LABEL_LENGTH } from "../server/limits.js";
import { element } from "../ui/dom.js";
import { backLink, link, viewOf } from "../ui/navigation.js";
import { distinctNames } from "../ui/names.js";
import { joinFacts, problem } from "../ui/parts.js";
import { trainingSettings } from "./settings.js";

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
    backLink("jobs", "jobs"),
    element("div", { class: "heading" }, element("h3", {}, say("newTraining"))),
    datasets.length
      ? form(presets, datasets, request)
      : element("p", { class: "empty" }, say("trainNoData"), " ", link(say("firstUpload"), "datasets")),
  );
}

/**
 * @param {Preset[]} presets
 * @param {Dataset[]} datasets
 * @param {Partial<TrainingJob>} request
 */
function form(presets, datasets, request) {
  const dataset = datasetMenu(datasets, request.dataset_id);
  const name = element("input", {
    id: "train-name",
    maxlength: MAX_LABEL_LENGTH,
    autocomplete: "off",
    spellcheck: "false",
  });
  name.value = request.model_name ?? "";
  const settings = new SettingInputs(request.requested_settings ?? {});
  const preset = presetCards(presets, request.preset, (chosen) => {
    settings.showDefaults(chosen);
    name.placeholder = say("nameDefault", { preset: chosen.name });
  });
  const outcome = element("div");
  const start = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    try {
      /** @type {Job} */
      const job = await post("/page/jobs/training", {
        preset: preset.value(),
        dataset: dataset.value,
        name: name.value.trim(),
        settings: settings.values(),
      });
      location.hash = viewOf("job", job.job_id);
    } catch (error) {
      outcome.replaceChildren(problem(explain(error)));
    }
  };
  return element(
    "form",
    { class: "stack", id: "training", onsubmit: start },
    preset.node,
    element(
      "div",
      { class: "fields two" },
      element("label", { class: "field" }, say("dataset"), dataset),
      element("label", { class: "field" }, say("modelName"), name),
    ),
    element("div", { class: "fields" }, settings.fields("epochs", "batch_size", "learning_rate")),
    ...settings.fields("augment"),
    element(
      "details",
      {},
      element("summary", {}, say("moreSettings")),
      element(
        "div",
        { class: "fields" },
        settings.fields(
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
      settings.fields("tensorboard"),
    ),
    outcome,
    element(
      "div",
      { class: "row" },
      element("button", { class: "primary", id: "start-training" }, say("startTraining")),
    ),
  );
}

/**
 * @param {Dataset[]} datasets
 * @param {string} [chosen]  the id
 */
function datasetMenu(datasets, chosen) {
  const names = distinctNames(datasets);
  const options = datasets.map(({ dataset_id: id, labels_total: labels }, i) =>
    element(
      "option",
      { value: id, selected: id === chosen },
      joinFacts(names[i], say("labelsCount", { count: count(labels) })),
    ),
  );
  return element("select", { id: "train-dataset" }, options);
}

/**
 * @param {Preset[]} presets
 * @param {string | undefined} chosen  the name
 * @param {(preset: Preset) => void} onChoose  called at once for the first, and when another is chosen
 */
function presetCards(presets, chosen, onChoose) {
  const first = presets.find(({ name }) => name === chosen) ?? presets[0];
  const card = (/** @type {Preset} */ preset) =>
    element(
      "label",
      { class: "preset" },
      element("input", {
        type: "radio",
        name: "preset",
        value: preset.name,
        checked: preset === first,
        onchange: () => onChoose(preset),
      }),
      element(
        "span",
        {},
        element("strong", {}, preset.name),
        element("small", {}, descriptionOf(preset)),
        element("small", {}, sizeOf(preset)),
      ),
    );
  const node = element("fieldset", { class: "presets" }, element("legend", {}, say("preset")), ...presets.map(card));
  onChoose(first);
  return { node, value: () => node.querySelector("input:checked")?.getAttribute("value") ?? first.name };
}

/** @param {Preset} preset */
function descriptionOf({ name, description }) {
  return isServerLanguage() || !PRESET_WORDS[name] ? description : say(PRESET_WORDS[name]);
}

/** @param {Preset} preset */
function sizeOf({ parameters, input_size_px: side, pretrained }) {
  const millions = say("millions", { count: (parameters / 1e6).toFixed(1) });
  return joinFacts(millions, `${side} × ${side} px`, pretrained && "ImageNet");
}

/** Inputs for the settings of a training. */
class SettingInputs {
  #settings = trainingSettings();
  /** @type {Record<keyof TrainingSettings, HTMLInputElement | HTMLSelectElement>} */
  #inputs;

  /** @param {TrainingSettings} given  what is filled in at first */
  constructor(given) {
    const names = /** @type {(keyof TrainingSettings)[]} */ (Object.keys(this.#settings));
    const inputs = names.map((name) => [name, this.#input(name, given[name])]);
    this.#inputs = Object.fromEntries(inputs);
  }

  /** Build the labeled inputs of some settings.
   * @param {...(keyof TrainingSettings)} names
   */
  fields(...names) {
    return names.map((name) => {
      const { word, isOn } = this.#settings[name];
      const input = this.#inputs[name];
      return isOn === undefined
        ? element("label", { class: "field" }, say(word), input)
        : element("label", { class: "check" }, input, element("span", {}, say(word)));
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
  values() {
    const inputs = /** @type {[keyof TrainingSettings, HTMLInputElement][]} */ (Object.entries(this.#inputs));
    const values = inputs.map(([name, input]) => [name, this.#valueOf(name, input)]);
    return Object.fromEntries(values.filter(([, value]) => value !== undefined));
  }

  /**
   * @param {keyof TrainingSettings} name
   * @param {string | number | boolean | null} [given]
   */
  #input(name, given) {
    const { number, choices, isOn } = this.#settings[name];
    if (isOn !== undefined) return element("input", { type: "checkbox", name, checked: given ?? isOn });
    if (!choices) {
      return element("input", { type: "number", inputmode: "decimal", name, value: given, ...number });
    }
    const options = Object.entries(choices).map(([value, text]) =>
      element("option", { value, selected: value === String(given) }, text),
    );
    return element("select", { name }, element("option", { value: "" }, say("asUsual")), ...options);
  }

  /** Return what a setting is set to, undefined where that is the default.
   * @param {keyof TrainingSettings} name
   * @param {HTMLInputElement} input  or a select, which has no more than a value
   */
  #valueOf(name, input) {
    const { number, isOn } = this.#settings[name];
    if (isOn !== undefined) return input.checked === isOn ? undefined : input.checked;
    if (input.value === "") return undefined;
    if (number) return Number(input.value);
    return { true: true, false: false }[input.value] ?? input.value;
  }
}
