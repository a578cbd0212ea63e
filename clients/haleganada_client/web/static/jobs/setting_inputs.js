// Inputs for the settings of a training, with the defaults of a preset where nothing is filled in.

import { say } from "../i18n/words.js";
import { makeElement } from "../ui/dom.js";
import { listTrainingSettings } from "./settings.js";

const PRESET_DEFAULTS = /** @type {const} */ ([
  ["epochs", "epochs"],
  ["batch_size", "batch_size"],
  ["learning_rate", "learning_rate"],
  ["image_size_px", "input_size_px"],
]);

/** Inputs for the settings of a training. */
export class SettingInputs {
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
    for (const [name, fact] of PRESET_DEFAULTS) this.#inputs[name].setAttribute("placeholder", String(preset[fact]));
  }

  /** Let a setting be the default, or to be chosen again.
   * @param {keyof TrainingSettings} name
   * @param {boolean} isDisabled
   */
  disable(name, isDisabled) {
    this.#inputs[name].disabled = isDisabled;
    if (isDisabled) this.#inputs[name].value = "";
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
