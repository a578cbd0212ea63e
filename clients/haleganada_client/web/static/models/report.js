// What an evaluation found: figures with their interval, where it errs, the pictures.

import { url } from "../api.js";
import { button, element } from "../dom.js";
import { count, say } from "../words.js";
import { numbers, share } from "./parts.js";
import { table } from "./sortable.js";

const LISTED = 10;
const PICTURES = { "confusion_matrix.png": "confusionMatrix", "class_accuracy.png": "classAccuracy", "confused_pairs.png": "confusedPairs" };
const ZOOMABLE = "confusion_matrix.html"; // a page of its own, which the server only sends as a download

export function evaluation(job) {
  const { dataset, models, notes, disagreements } = job.evaluation.result;
  const part = { train: "partTrain", validation: "partValidation", test: "partTest" }[dataset.part];
  const box = element("div", { class: "stack" });
  const show = (model) => box.replaceChildren(...details(job, model));
  const nodes = [element("p", {}, say("measuredOn", { name: dataset.name, part: part ? say(part) : dataset.part, drawings: count(dataset.drawings), labels: count(dataset.labels) })),
    ...notes.map((note) => element("p", { class: "warning" }, note))];
  if (models.length > 1) nodes.push(comparison(models), choice(models, show));
  show(models[0]);
  return element("div", { class: "stack report" }, nodes, box, disagreements && disagreed(job, disagreements));
}

const interval = (ends) => (ends ? say("interval", { from: share(ends.low), to: share(ends.high) }) : "");
const nameOf = (model) => (model.model_id === "ensemble" ? say("together") : model.display_name);

// Whose file it is, where several models were measured: files are named by ids.
export function modelOf({ evaluation: job }, file) {
  const models = job?.result?.models ?? [];
  const found = models.length > 1 && models.find(({ files }) => files.includes(file));
  return found ? nameOf(found) : "";
}

function comparison(models) {
  const number = (word, value) => ({ word, cell: (model) => share(value(model)), key: (model) => value(model) ?? -1, right: true });
  return table([
    { word: "model", cell: (model) => element("strong", {}, nameOf(model)), key: nameOf, kind: "first" },
    number("right", (model) => model.accuracy),
    { word: "intervalTitle", cell: (model) => interval(model.accuracy_interval), right: true },
    number("macroF1", (model) => model.macro?.f1_score), number("top5", (model) => model.top5_accuracy),
    { word: "milliseconds", cell: (model) => model.latency_ms?.toFixed(1) ?? "–", key: (model) => model.latency_ms ?? -1, right: true },
  ], models, { kind: "stacked", name: say("comparison") });
}

function disagreed(job, found) {
  const told = { count: count(found.count), share: share(found.share), right: share(found.any_correct) };
  return element("section", {}, element("h3", {}, say("disagreements")), element("p", { class: "note" }, say(found.count ? "disagree" : "agree", told)),
    found.files.map((name) => picture(job, name, "disagreements", false)));
}

// Which model's details are shown.
function choice(models, show) {
  const buttons = models.map((model) => button(nameOf(model), () => choose(model), { class: "chip" }));
  const choose = (model) => {
    buttons.forEach((one, i) => one.setAttribute("aria-pressed", String(models[i] === model)));
    show(model);
  };
  buttons.forEach((one, i) => one.setAttribute("aria-pressed", String(i === 0)));
  return element("div", { class: "chips", role: "group", "aria-label": say("detailsOf") }, buttons);
}

function details(job, model) {
  const errors = [worst(model), confused(model)].filter(Boolean);
  const unknown = model.unknown_classes.count;
  return [headline(model), unknown > 0 && element("p", { class: "warning" }, say("labelsNotKnown", { count: count(unknown) })),
    errors.length > 0 && element("div", { class: "columns two" }, errors), perClass(model), ...zoomable(job, model), ...pictures(job, model)].filter(Boolean);
}

function headline(model) {
  return element("div", {}, element("p", { class: "headline" }, element("strong", {}, share(model.accuracy)), element("span", {}, `${say("rightOf", { n: count(model.drawings) })} · ${interval(model.accuracy_interval)}`)),
    numbers([[model.macro ? share(model.macro.f1_score) : null, "macroF1"], [model.weighted ? share(model.weighted.f1_score) : null, "weightedF1"],
      [model.top5_accuracy === null ? null : share(model.top5_accuracy), "top5"], [model.expected_calibration_error === null ? null : share(model.expected_calibration_error), "calibration"],
      [model.latency_ms ? model.latency_ms.toFixed(1) : null, "milliseconds"]]));
}

function worst(model) {
  const rows = model.worst_classes.filter(({ accuracy }) => accuracy < 1).slice(0, LISTED).map((one) => element("li", {}, element("span", { class: "pair script" }, one.label),
    element("span", {}, [share(one.accuracy), say("ofDrawings", { right: one.correct, count: one.support }), one.mistaken_for && say("readAs", { label: one.mistaken_for, times: one.mistaken_count })].filter(Boolean).join(" · "))));
  return model.macro && column("worst", rows, "worstNone");
}

function confused(model) {
  const rows = model.confusions.slice(0, LISTED).flatMap(directions).map(([is, label, times]) => element("li", {}, element("span", { class: "pair script" }, is), element("span", { class: "script" }, say("readAs", { label, times }))));
  return model.macro && column("confusedTitle", rows, "confusedNone");
}

// Which of the two was taken for the other, the more frequent error first.
function directions({ first_label: first, second_label: second, first_as_second: there, second_as_first: back }) {
  return [[first, second, there], [second, first, back]].filter(([, , times]) => times).sort((a, b) => b[2] - a[2]);
}

function column(title, rows, none) {
  return element("section", {}, element("h3", {}, say(title)), rows.length ? element("ul", { class: "advice" }, rows) : element("p", { class: "note" }, say(none)));
}

function perClass({ classes: rows }) {
  if (!rows.length) return null;
  const number = (word, name) => ({ word, cell: (row) => share(row[name]), key: (row) => row[name], right: true });
  return element("details", { open: rows.length <= 40 }, element("summary", {}, say("perClass", { count: count(rows.length) })), table([
    { word: "label", cell: ({ label }) => element("span", { class: "script" }, label), key: ({ label }) => label },
    number("precision", "precision"), number("recall", "recall"), number("f1", "f1_score"),
    { word: "support", cell: ({ support }) => count(support), key: ({ support }) => support, right: true },
  ], rows, { kind: "compact", name: say("perClassName") }));
}

function pictures(job, model) {
  return filesOf(job, model).filter((name) => wordFor(name)).map((name) => picture(job, name, wordFor(name)));
}

function zoomable(job, model) {
  return filesOf(job, model).filter((name) => name.endsWith(ZOOMABLE)).map((name) => element("p", {},
    element("a", { class: "button download", href: addressOf(job, name), download: name }, say("zoomable")), " ", element("small", { class: "note" }, say("zoomableNote"))));
}

const filesOf = (job, model) => (model.files.length ? model.files : job.files.map(({ name }) => name));

const addressOf = (job, name) => url(`/page/jobs/${job.job_id}/files/${encodeURIComponent(name)}`);

const wordFor = (name) => Object.entries(PICTURES).find(([ending]) => name.endsWith(ending))?.[1];

function picture(job, name, word, titled = true) {
  const address = addressOf(job, name);
  return element("figure", { class: "picture" }, titled && element("figcaption", {}, say(word)),
    element("a", { href: address, target: "_blank" }, element("img", { src: address, alt: say(word), loading: "lazy" })));
}
