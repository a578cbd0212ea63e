// Asking for a training: what, on what, how. Every setting that is left empty has the preset's default.

import { get, post } from "../api.js";
import { element } from "../dom.js";
import { count, say } from "../words.js";
import { back, link, namesOf, place, problem } from "./parts.js";

const OPTIMIZERS = { adamw: "AdamW", adam: "Adam" };
const WHOLE = { min: 1, step: 1 };

// id: of the data set that is chosen at first, or "".
export const trainOn = (view, id) => show(view, { dataset_id: id });

// id: of a job whose settings are taken over.
export const trainAgain = async (view, id) => show(view, (await get(`/page/jobs/${encodeURIComponent(id)}`)).training);

async function show(view, wish) {
  const [presets, datasets] = await Promise.all([get("/page/models/presets"), get("/page/datasets")]);
  const heading = element("div", { class: "heading" }, element("h3", {}, say("newTraining")));
  view.replaceChildren(back("jobs", "jobs"), heading,
    datasets.length ? form(presets, datasets, wish) : element("p", { class: "empty" }, say("trainNoData"), " ", link(say("firstUpload"), "datasets")));
}

function form(presets, datasets, wish) {
  const given = wish.requested_settings ?? {};
  const names = namesOf(datasets);
  const dataset = element("select", { id: "train-dataset" }, datasets.map((one, i) => element("option", { value: one.dataset_id, selected: one.dataset_id === wish.dataset_id }, `${names[i]} · ${say("labelsCount", { count: count(one.labels_total) })}`)));
  const name = element("input", { id: "train-name", maxlength: 64, autocomplete: "off", spellcheck: "false" });
  name.value = wish.model_name ?? "";
  const settings = fields(given);
  const preset = presetCards(presets, wish.preset, (one) => settings.follow(one, () => { name.placeholder = say("nameDefault", { preset: one.name }); }));
  const outcome = element("div");
  const start = async (event) => {
    event.preventDefault();
    try {
      const job = await post("/page/jobs/training", { preset: preset.value(), dataset: dataset.value, name: name.value.trim(), settings: settings.values() });
      location.hash = place("job", job.job_id);
    } catch (error) {
      outcome.replaceChildren(problem(error.message || say("noAnswer")));
    }
  };
  return element("form", { class: "stack", id: "training", onsubmit: start }, preset.node,
    element("div", { class: "fields two" }, field("dataset", dataset), field("modelName", name)),
    element("div", { class: "fields" }, settings.first), settings.augment,
    element("details", {}, element("summary", {}, say("moreSettings")), element("div", { class: "fields" }, settings.rest), settings.boxes),
    outcome, element("div", { class: "row" }, element("button", { class: "primary", id: "start-training" }, say("startTraining"))));
}

const field = (word, input) => element("label", { class: "field" }, say(word), input);

function presetCards(presets, chosen, onChoose) {
  const first = presets.find(({ name }) => name === chosen) ?? presets[0];
  const card = (one) => element("label", { class: "preset" },
    element("input", { type: "radio", name: "preset", value: one.name, checked: one === first, onchange: () => onChoose(one) }),
    element("span", {}, element("strong", {}, one.name), element("small", {}, one.description),
      element("small", {}, [say("millions", { count: (one.parameters / 1e6).toFixed(1) }), `${one.input_size_px} × ${one.input_size_px} px`, one.pretrained && "ImageNet"].filter(Boolean).join(" · "))));
  const node = element("fieldset", { class: "presets" }, element("legend", {}, say("preset")), presets.map(card));
  onChoose(first);
  return { node, value: () => node.querySelector("input:checked").value };
}

// Inputs for settings; follow(preset): show its defaults where nothing is filled in.
function fields(given) {
  const inputs = {};
  const number = (word, name, limits) => {
    inputs[name] = element("input", { type: "number", inputmode: "decimal", name, ...limits });
    inputs[name].value = given[name] ?? "";
    return field(word, inputs[name]);
  };
  const select = (word, name, options) => {
    inputs[name] = element("select", { name }, element("option", { value: "" }, say("asUsual")), Object.entries(options).map(([value, text]) => element("option", { value, selected: given[name] === value }, text)));
    return field(word, inputs[name]);
  };
  const box = (word, name, usual) => {
    inputs[name] = element("input", { type: "checkbox", name, checked: given[name] ?? usual });
    return element("label", { class: "check" }, inputs[name], element("span", {}, say(word)));
  };
  const share = { min: 0, max: 1, step: "any" };
  const first = [number("epochs", "epochs", { ...WHOLE, max: 10000 }), number("batchSize", "batch_size", { ...WHOLE, max: 4096 }), number("learningRate", "learning_rate", share)];
  const augment = box("augment", "augment", true);
  const rest = [
    select("optimizer", "optimizer", OPTIMIZERS), select("schedule", "schedule", { cosine: say("scheduleCosine"), plateau: say("schedulePlateau") }),
    number("weightDecay", "weight_decay", share), number("patience", "patience", { min: 0, step: 1, placeholder: 15 }), number("accumulation", "accumulation", { ...WHOLE, max: 256, placeholder: 1 }),
    number("frozenEpochs", "frozen_epochs", { min: 0, step: 1 }), number("seed", "seed", { min: 0, step: 1, placeholder: 0 }), number("checkpointEvery", "checkpoint_every", { ...WHOLE, max: 1000, placeholder: 1 }),
    select("mixedPrecision", "mixed_precision", { true: say("yes"), false: say("no") }),
  ];
  if (typeof given.mixed_precision === "boolean") inputs.mixed_precision.value = String(given.mixed_precision);
  const boxes = box("tensorboard", "tensorboard", false);
  const follow = (preset, then) => {
    for (const name of ["epochs", "batch_size", "learning_rate"]) inputs[name].placeholder = preset[name];
    then();
  };
  return { first, augment, rest, boxes, follow, values: () => valuesOf(inputs) };
}

function valuesOf(inputs) {
  const values = {};
  for (const [name, input] of Object.entries(inputs)) {
    if (input.type === "checkbox") values[name] = input.checked;
    else if (input.value !== "") values[name] = input.type === "number" ? Number(input.value) : input.value;
  }
  if ("mixed_precision" in values) values.mixed_precision = values.mixed_precision === "true";
  if (values.augment) delete values.augment; // on is the default
  if (!values.tensorboard) delete values.tensorboard;
  return values;
}
