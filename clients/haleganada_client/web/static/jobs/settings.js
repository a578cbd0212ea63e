// The settings of a training. A setting without a value has the preset's default.

import { say } from "../i18n/words.js";
import { joinFacts } from "../ui/parts.js";

/** @typedef {import("../i18n/words.js").Word} Word */

/**
 * @typedef {object} Setting
 * @property {Word} word
 * @property {import("../ui/dom.js").Attributes} [number]  of the input, where it is a number
 * @property {Record<string, string>} [choices]  values and their texts
 * @property {boolean} [isOn]  the default, where it is on or off
 */

const WHOLE = { min: 1, step: 1 };
const WHOLE_FROM_0 = { min: 0, step: 1 };
const SHARE = { min: 0, max: 1, step: "any" };

/** Return the settings by their names.
 * @returns {Record<keyof TrainingSettings, Setting>}
 */
export function trainingSettings() {
  return {
    epochs: { word: "epochs", number: { ...WHOLE, max: 10_000 } },
    batch_size: { word: "batchSize", number: { ...WHOLE, max: 4096 } },
    learning_rate: { word: "learningRate", number: SHARE },
    augment: { word: "augment", isOn: true },
    optimizer: { word: "optimizer", choices: { adamw: "AdamW", adam: "Adam" } },
    schedule: { word: "schedule", choices: { cosine: say("scheduleCosine"), plateau: say("schedulePlateau") } },
    weight_decay: { word: "weightDecay", number: SHARE },
    patience: { word: "patience", number: { ...WHOLE_FROM_0, placeholder: 15 } },
    accumulation: { word: "accumulation", number: { ...WHOLE, max: 256, placeholder: 1 } },
    frozen_epochs: { word: "frozenEpochs", number: WHOLE_FROM_0 },
    seed: { word: "seed", number: { ...WHOLE_FROM_0, placeholder: 0 } },
    checkpoint_every: { word: "checkpointEvery", number: { ...WHOLE, max: 1000, placeholder: 1 } },
    mixed_precision: { word: "mixedPrecision", choices: { true: say("yes"), false: say("no") } },
    tensorboard: { word: "tensorboard", isOn: false },
  };
}

/** Return settings in one line, without those that were left to the preset (null).
 * @param {object} values
 */
export function describeSettings(values) {
  /** @type {Record<string, Setting>} */
  const known = trainingSettings();
  const given = Object.entries(values).filter(([, value]) => value !== null);
  const facts = given.map(([name, value]) => {
    const setting = known[name];
    const text = typeof value === "boolean" ? say(value ? "yes" : "no") : String(value);
    return `${setting ? say(setting.word) : name.replaceAll("_", " ")}: ${setting?.choices?.[text] ?? text}`;
  });
  return joinFacts(...facts);
}
