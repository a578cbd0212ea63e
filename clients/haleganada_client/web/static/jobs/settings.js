// The settings of a training. A setting without a value has the preset's default.

import { say } from "../i18n/words.js";
import * as limits from "../server/limits.js";
import { joinFacts } from "../ui/parts.js";

/** @typedef {import("../i18n/words.js").Word} Word */

/**
 * @typedef {object} Setting
 * @property {Word} word
 * @property {Word} [short]  in a list of settings
 * @property {import("../ui/dom.js").Attributes} [number]  of the input, where it is a number
 * @property {Record<string, string>} [choices]  values and their texts
 * @property {boolean} [isOn]  the default, where it is on or off
 */

/** Return the settings by their names.
 * @returns {Record<keyof TrainingSettings, Setting>}
 */
export function listTrainingSettings() {
  return {
    epochs: { word: "epochs", number: limits.EPOCHS },
    batch_size: { word: "batchSize", number: limits.BATCH_SIZE },
    learning_rate: { word: "learningRate", number: { ...limits.LEARNING_RATE, step: "any" } },
    augment: { word: "augment", short: "augmented", isOn: true },
    optimizer: { word: "optimizer", choices: { adamw: "AdamW", adam: "Adam" } },
    schedule: { word: "schedule", choices: { cosine: say("scheduleCosine"), plateau: say("schedulePlateau") } },
    weight_decay: { word: "weightDecay", number: { ...limits.WEIGHT_DECAY, step: "any" } },
    patience: { word: "patience", number: { ...limits.PATIENCE, placeholder: limits.DEFAULT_PATIENCE } },
    accumulation: {
      word: "accumulation",
      number: { ...limits.ACCUMULATION, placeholder: limits.DEFAULT_ACCUMULATION },
    },
    frozen_epochs: { word: "frozenEpochs", number: limits.FROZEN_EPOCHS },
    seed: { word: "seed", number: { ...limits.SEED, placeholder: 0 } },
    checkpoint_every: {
      word: "checkpointEvery",
      number: { ...limits.CHECKPOINT_EVERY, placeholder: limits.DEFAULT_CHECKPOINT_EVERY },
    },
    mixed_precision: { word: "mixedPrecision", choices: { true: say("yes"), false: say("no") } },
    tensorboard: { word: "tensorboard", isOn: false },
    image_size_px: { word: "imageSize", number: limits.IMAGE_SIZE_PX },
    workers: { word: "workers", number: limits.WORKERS },
    class_weights: {
      word: "classWeights",
      choices: { none: say("weightsNone"), balanced: say("weightsBalanced") },
    },
    rotation_degrees: describeStrength("rotation", limits.ROTATION_DEGREES, limits.DEFAULT_ROTATION_DEGREES),
    shift: describeStrength("shift", limits.SHIFT, limits.DEFAULT_SHIFT),
    scale: describeStrength("scaleMost", limits.SCALE, limits.DEFAULT_SCALE),
    tilt: describeStrength("tilt", limits.TILT, limits.DEFAULT_TILT),
    bend: describeStrength("bend", limits.BEND, limits.DEFAULT_BEND),
    ink: describeStrength("inkMost", limits.INK, limits.DEFAULT_INK),
  };
}

/** Return how much of one kind of augmentation there is at most.
 * @param {Word} word
 * @param {{ min: number, max: number }} range
 * @param {number} usual
 * @returns {Setting}
 */
const describeStrength = (word, range, usual) => ({ word, number: { ...range, step: "any", placeholder: usual } });

/** Return settings in one line, without those that were left to the preset (null).
 * @param {object} values
 */
export function describeSettings(values) {
  /** @type {Record<string, Setting>} */
  const known = listTrainingSettings();
  const given = Object.entries(values).filter(([, value]) => value !== null);
  const facts = given.map(([name, value]) => {
    const setting = known[name];
    const text = typeof value === "boolean" ? say(value ? "yes" : "no") : String(value);
    const title = setting ? say(setting.short ?? setting.word) : name.replaceAll("_", " ");
    return `${title}: ${setting?.choices?.[text] ?? text}`;
  });
  return joinFacts(...facts);
}
