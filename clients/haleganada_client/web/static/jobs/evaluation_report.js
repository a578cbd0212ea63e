// What an evaluation found: metrics with their interval, where models err, the pictures.

import { PART_WORDS } from "../datasets/parts_bar.js";
import { count, say } from "../i18n/words.js";
import { url } from "../server/api.js";
import { button, element } from "../ui/dom.js";
import { column, joinFacts, numbers, share } from "../ui/parts.js";
import { table } from "../ui/table.js";

/** @typedef {import("../i18n/words.js").Word} Word */

const MOST_ERRORS = 10;
const MOST_LABELS_OPEN = 40; // labels up to which the table of labels is shown at once

/** @type {Record<string, Word>} */
const PICTURE_WORDS = {
  "confusion_matrix.png": "confusionMatrix",
  "class_accuracy.png": "classAccuracy",
  "confused_pairs.png": "confusedPairs",
};
const ZOOMABLE = "confusion_matrix.html"; // a page of its own, which the server only sends as a download

/** Show what an evaluation found.
 * @param {Job} job
 * @param {EvaluationResult} result
 */
export function evaluationReport(job, { dataset, models, notes, disagreements }) {
  const measured = say("measuredOn", {
    name: dataset.name,
    part: say(PART_WORDS[dataset.part]),
    drawings: count(dataset.drawings),
    labels: count(dataset.labels),
  });
  const box = element("div", { class: "stack" });
  const show = (/** @type {ModelMetrics} */ model) => box.replaceChildren(...details(job, model));
  show(models[0]);
  return element(
    "div",
    { class: "stack report" },
    element("p", {}, measured),
    ...notes.map((note) => element("p", { class: "warning" }, note)),
    models.length > 1 && comparison(models),
    models.length > 1 && modelChips(models, show),
    box,
    disagreements && disagreementSection(job, disagreements),
  );
}

/** Return the name of the model that a file is about, where several models were evaluated: files are named by ids.
 * @param {Job} job
 * @param {string} file
 */
export function modelOfFile({ evaluation }, file) {
  const models = evaluation?.result?.models ?? [];
  const found = models.find(({ files }) => files.includes(file));
  return found && models.length > 1 ? nameOf(found) : "";
}

/** @param {Interval | null} ends */
const interval = (ends) => (ends ? say("interval", { from: share(ends.low), to: share(ends.high) }) : "");

/** @param {ModelMetrics} model */
const nameOf = (model) => (model.model_id === "ensemble" ? say("together") : model.display_name);

/** @param {ModelMetrics[]} models */
function comparison(models) {
  const shareColumn = (
    /** @type {Word} */ word,
    /** @type {(model: ModelMetrics) => number | null | undefined} */ valueOf,
  ) => ({
    word,
    cell: (/** @type {ModelMetrics} */ model) => share(valueOf(model)),
    key: (/** @type {ModelMetrics} */ model) => valueOf(model) ?? -1,
    right: true,
  });
  /** @type {import("../ui/table.js").Column<ModelMetrics>[]} */
  const columns = [
    { word: "model", cell: (model) => element("strong", {}, nameOf(model)), key: nameOf, kind: "first" },
    shareColumn("right", (model) => model.accuracy),
    { word: "intervalTitle", cell: (model) => interval(model.accuracy_interval), right: true },
    shareColumn("macroF1", (model) => model.macro?.f1_score),
    shareColumn("top5", (model) => model.top5_accuracy),
    {
      word: "milliseconds",
      cell: (model) => model.latency_ms?.toFixed(1) ?? "–",
      key: (model) => model.latency_ms ?? -1,
      right: true,
    },
  ];
  return table(columns, models, { kind: "stacked", name: say("comparison") });
}

/** Build the buttons that choose the model whose details are shown.
 * @param {ModelMetrics[]} models
 * @param {(model: ModelMetrics) => void} show
 */
function modelChips(models, show) {
  const choose = (/** @type {ModelMetrics} */ model) => {
    mark(model);
    show(model);
  };
  const mark = (/** @type {ModelMetrics} */ model) =>
    chips.forEach((chip, i) => chip.setAttribute("aria-pressed", String(models[i] === model)));
  const chips = models.map((model) => button(nameOf(model), () => choose(model), { class: "chip" }));
  mark(models[0]);
  return element("div", { class: "chips", role: "group", "aria-label": say("detailsOf") }, chips);
}

/**
 * @param {Job} job
 * @param {ModelDisagreements} disagreements
 */
function disagreementSection(job, { count: total, share: part, any_correct: right, files }) {
  const values = { count: count(total), share: share(part), right: share(right) };
  return element(
    "section",
    {},
    element("h3", {}, say("disagreements")),
    element("p", { class: "note" }, say(total ? "disagree" : "agree", values)),
    ...files.map((name) => picture(job, name, "disagreements", false)),
  );
}

/**
 * @param {Job} job
 * @param {ModelMetrics} model
 */
function details(job, model) {
  const unknown = model.unknown_classes.count;
  const errors = model.macro ? [hardestLabels(model), confusedPairs(model)] : []; // not in quick evaluations
  const files = model.files.length ? model.files : job.files.map(({ name }) => name);
  return [
    headline(model),
    unknown > 0 && element("p", { class: "warning" }, say("labelsNotKnown", { count: count(unknown) })),
    errors.length > 0 && element("div", { class: "columns two" }, errors),
    labelTable(model),
    ...files.filter((name) => name.endsWith(ZOOMABLE)).map((name) => zoomable(job, name)),
    ...files.map((name) => {
      const word = pictureWord(name);
      return word && picture(job, name, word);
    }),
  ].filter((node) => node instanceof HTMLElement);
}

/** @param {ModelMetrics} model */
function headline(model) {
  const { accuracy, accuracy_interval: ends, drawings, macro, weighted, latency_ms: ms } = model;
  const about = `${say("rightOf", { n: count(drawings) })} · ${interval(ends)}`;
  const given = (/** @type {number | null | undefined} */ value) => (typeof value === "number" ? share(value) : null);
  return element(
    "div",
    {},
    element("p", { class: "headline" }, element("strong", {}, share(accuracy)), element("span", {}, about)),
    numbers([
      [given(macro?.f1_score), "macroF1"],
      [given(weighted?.f1_score), "weightedF1"],
      [given(model.top5_accuracy), "top5"],
      [given(model.expected_calibration_error), "calibration"],
      [ms ? ms.toFixed(1) : null, "milliseconds"],
    ]),
  );
}

/** @param {ModelMetrics} model */
function hardestLabels({ worst_classes: classes }) {
  const rows = classes
    .filter(({ accuracy }) => accuracy < 1)
    .slice(0, MOST_ERRORS)
    .map((one) => {
      const facts = joinFacts(
        share(one.accuracy),
        say("ofDrawings", { right: one.correct, count: one.support }),
        one.mistaken_for && say("readAs", { label: one.mistaken_for, times: one.mistaken_count }),
      );
      return element("li", {}, element("span", { class: "pair script" }, one.label), element("span", {}, facts));
    });
  return column("worst", rows, "worstNone");
}

/** Show which of two labels was mistaken for the other, the more frequent error first.
 * @param {ModelMetrics} model
 */
function confusedPairs({ confusions }) {
  const rows = confusions
    .slice(0, MOST_ERRORS)
    .flatMap(({ first_label: first, second_label: second, first_as_second: there, second_as_first: back }) =>
      [
        { label: first, other: second, times: there },
        { label: second, other: first, times: back },
      ]
        .filter(({ times }) => times)
        .sort((a, b) => b.times - a.times),
    )
    .map(({ label, other, times }) =>
      element(
        "li",
        {},
        element("span", { class: "pair script" }, label),
        element("span", { class: "script" }, say("readAs", { label: other, times })),
      ),
    );
  return column("confusedTitle", rows, "confusedNone");
}

/** @param {ModelMetrics} model */
function labelTable({ classes: rows }) {
  if (!rows.length) return null;
  const shareColumn = (/** @type {Word} */ word, /** @type {"precision" | "recall" | "f1_score"} */ name) => ({
    word,
    cell: (/** @type {ClassMetrics} */ row) => share(row[name]),
    key: (/** @type {ClassMetrics} */ row) => row[name],
    right: true,
  });
  /** @type {import("../ui/table.js").Column<ClassMetrics>[]} */
  const shown = [
    { word: "label", cell: ({ label }) => element("span", { class: "script" }, label), key: ({ label }) => label },
    shareColumn("precision", "precision"),
    shareColumn("recall", "recall"),
    shareColumn("f1", "f1_score"),
    { word: "support", cell: ({ support }) => count(support), key: ({ support }) => support, right: true },
  ];
  return element(
    "details",
    { open: rows.length <= MOST_LABELS_OPEN },
    element("summary", {}, say("perClass", { count: count(rows.length) })),
    table(shown, rows, { kind: "compact", name: say("perClassTitle") }),
  );
}

/**
 * @param {Job} job
 * @param {string} name
 */
const addressOf = (job, name) => url(`/page/jobs/${job.job_id}/files/${encodeURIComponent(name)}`);

/** @param {string} name */
const pictureWord = (name) => Object.entries(PICTURE_WORDS).find(([ending]) => name.endsWith(ending))?.[1];

/**
 * @param {Job} job
 * @param {string} name
 */
function zoomable(job, name) {
  const attributes = { class: "button download", href: addressOf(job, name), download: name };
  const note = element("small", { class: "note" }, say("zoomableNote"));
  return element("p", {}, element("a", attributes, say("zoomable")), " ", note);
}

/**
 * @param {Job} job
 * @param {string} name
 * @param {Word} word
 * @param {boolean} hasTitle
 */
function picture(job, name, word, hasTitle = true) {
  const address = addressOf(job, name);
  const image = element("img", { src: address, alt: say(word), loading: "lazy" });
  return element(
    "figure",
    { class: "picture" },
    hasTitle && element("figcaption", {}, say(word)),
    element("a", { href: address, target: "_blank" }, image),
  );
}
