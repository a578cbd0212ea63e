// What an evaluation found: metrics with their interval, where models err, the pictures.

import { PART_WORDS } from "../datasets/parts_bar.js";
import { formatCount, say } from "../i18n/words.js";
import { makeUrl } from "../server/api.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { buildColumn, buildNumbers, formatShare, joinFacts } from "../ui/parts.js";
import { buildTable } from "../ui/table.js";

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
export function buildEvaluationReport(job, { dataset, models, notes, disagreements }) {
  const measured = say("measuredOn", {
    name: dataset.name,
    part: say(PART_WORDS[dataset.part]),
    drawings: formatCount(dataset.drawings),
    labels: formatCount(dataset.labels),
  });
  const box = makeElement("div", { class: "stack" });
  const show = (/** @type {ModelMetrics} */ model) => box.replaceChildren(...buildDetails(job, model));
  show(models[0]);
  return makeElement(
    "div",
    { class: "stack report" },
    makeElement("p", {}, measured),
    ...notes.map((note) => makeElement("p", { class: "warning" }, note)),
    models.length > 1 && buildComparison(models),
    models.length > 1 && buildModelChips(models, show),
    box,
    disagreements && buildDisagreementSection(job, disagreements),
  );
}

/** Return the name of the model that a file is about, where several models were evaluated: files are named by ids.
 * @param {Job} job
 * @param {string} file
 */
export function findModelOfFile({ evaluation }, file) {
  const models = evaluation?.result?.models ?? [];
  const found = models.find(({ files }) => files.includes(file));
  return found && models.length > 1 ? getName(found) : "";
}

/** @param {Interval | null} ends */
const formatInterval = (ends) =>
  ends ? say("interval", { from: formatShare(ends.low), to: formatShare(ends.high) }) : "";

/** @param {ModelMetrics} model */
const getName = (model) => (model.model_id === "ensemble" ? say("together") : model.display_name);

/** @param {ModelMetrics[]} models */
function buildComparison(models) {
  const shareColumn = (
    /** @type {Word} */ word,
    /** @type {(model: ModelMetrics) => number | null | undefined} */ valueOf,
  ) => ({
    word,
    cell: (/** @type {ModelMetrics} */ model) => formatShare(valueOf(model)),
    key: (/** @type {ModelMetrics} */ model) => valueOf(model) ?? -1,
    right: true,
  });
  /** @type {import("../ui/table.js").Column<ModelMetrics>[]} */
  const columns = [
    { word: "model", cell: (model) => makeElement("strong", {}, getName(model)), key: getName, kind: "first" },
    shareColumn("right", (model) => model.accuracy),
    { word: "intervalTitle", cell: (model) => formatInterval(model.accuracy_interval), right: true },
    shareColumn("macroF1", (model) => model.macro?.f1_score),
    shareColumn("top5", (model) => model.top5_accuracy),
    {
      word: "milliseconds",
      cell: (model) => model.latency_ms?.toFixed(1) ?? "–",
      key: (model) => model.latency_ms ?? -1,
      right: true,
    },
  ];
  return buildTable(columns, models, { kind: "stacked", name: say("comparison") });
}

/** Build the buttons that choose the model whose details are shown.
 * @param {ModelMetrics[]} models
 * @param {(model: ModelMetrics) => void} show
 */
function buildModelChips(models, show) {
  const choose = (/** @type {ModelMetrics} */ model) => {
    mark(model);
    show(model);
  };
  const mark = (/** @type {ModelMetrics} */ model) =>
    chips.forEach((chip, i) => chip.setAttribute("aria-pressed", String(models[i] === model)));
  const chips = models.map((model) => makeButton(getName(model), () => choose(model), { class: "chip" }));
  mark(models[0]);
  return makeElement("div", { class: "chips", role: "group", "aria-label": say("detailsOf") }, chips);
}

/**
 * @param {Job} job
 * @param {ModelDisagreements} disagreements
 */
function buildDisagreementSection(job, { count: total, share: part, any_correct: right, files }) {
  const values = { count: formatCount(total), share: formatShare(part), right: formatShare(right) };
  return makeElement(
    "section",
    {},
    makeElement("h3", {}, say("disagreements")),
    makeElement("p", { class: "note" }, say(total ? "disagree" : "agree", values)),
    ...files.map((name) => buildPicture(job, name, "disagreements", false)),
  );
}

/**
 * @param {Job} job
 * @param {ModelMetrics} model
 */
function buildDetails(job, model) {
  const unknown = model.unknown_classes.count;
  const { drawings: strangers, rejected } = model.unknown_drawings;
  const told = { rejected: formatCount(rejected), count: formatCount(strangers) };
  const errors = model.macro ? [buildHardestLabels(model), buildConfusedPairs(model)] : []; // not in quick evaluations
  const files = model.files.length ? model.files : job.files.map(({ name }) => name);
  return [
    buildHeadline(model),
    unknown > 0 && makeElement("p", { class: "warning" }, say("labelsNotKnown", { count: formatCount(unknown) })),
    strangers > 0 && makeElement("p", { class: "note" }, say("calledUnknown", told)),
    errors.length > 0 && makeElement("div", { class: "columns two" }, errors),
    buildLabelTable(model),
    ...files.filter((name) => name.endsWith(ZOOMABLE)).map((name) => buildZoomable(job, name)),
    ...files.map((name) => {
      const word = findPictureWord(name);
      return word && buildPicture(job, name, word);
    }),
  ].filter((node) => node instanceof HTMLElement);
}

/** @param {ModelMetrics} model */
function buildHeadline(model) {
  const { accuracy, accuracy_interval: ends, drawings, macro, weighted, latency_ms: ms } = model;
  const about = `${say("rightOf", { n: formatCount(drawings) })} · ${formatInterval(ends)}`;
  const given = (/** @type {number | null | undefined} */ value) =>
    typeof value === "number" ? formatShare(value) : null;
  return makeElement(
    "div",
    {},
    makeElement(
      "p",
      { class: "headline" },
      makeElement("strong", {}, formatShare(accuracy)),
      makeElement("span", {}, about),
    ),
    buildNumbers([
      [given(macro?.f1_score), "macroF1"],
      [given(weighted?.f1_score), "weightedF1"],
      [given(model.top5_accuracy), "top5"],
      [given(model.expected_calibration_error), "calibration"],
      [ms ? ms.toFixed(1) : null, "milliseconds"],
    ]),
  );
}

/** @param {ModelMetrics} model */
function buildHardestLabels({ worst_classes: classes }) {
  const rows = classes
    .filter(({ accuracy }) => accuracy < 1)
    .slice(0, MOST_ERRORS)
    .map((one) => {
      const facts = joinFacts(
        formatShare(one.accuracy),
        say("ofDrawings", { right: one.correct, count: one.support }),
        one.mistaken_for && say("mistakenFor", { label: one.mistaken_for, times: one.mistaken_count }),
      );
      return makeElement(
        "li",
        {},
        makeElement("span", { class: "pair script" }, one.label),
        makeElement("span", {}, facts),
      );
    });
  return buildColumn("worst", rows, "worstNone");
}

/** Show which of two labels was mistaken for the other, the more frequent error first.
 * @param {ModelMetrics} model
 */
function buildConfusedPairs({ confusions }) {
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
      makeElement(
        "li",
        {},
        makeElement("span", { class: "pair script" }, label),
        makeElement("span", { class: "script" }, say("mistakenFor", { label: other, times })),
      ),
    );
  return buildColumn("confusedTitle", rows, "confusedNone");
}

/** @param {ModelMetrics} model */
function buildLabelTable({ classes: rows }) {
  if (!rows.length) return null;
  const shareColumn = (/** @type {Word} */ word, /** @type {"precision" | "recall" | "f1_score"} */ name) => ({
    word,
    cell: (/** @type {ClassMetrics} */ row) => formatShare(row[name]),
    key: (/** @type {ClassMetrics} */ row) => row[name],
    right: true,
  });
  /** @type {import("../ui/table.js").Column<ClassMetrics>[]} */
  const shown = [
    { word: "label", cell: ({ label }) => makeElement("span", { class: "script" }, label), key: ({ label }) => label },
    shareColumn("precision", "precision"),
    shareColumn("recall", "recall"),
    shareColumn("f1", "f1_score"),
    { word: "support", cell: ({ support }) => formatCount(support), key: ({ support }) => support, right: true },
  ];
  return makeElement(
    "details",
    { open: rows.length <= MOST_LABELS_OPEN },
    makeElement("summary", {}, say("perClass", { count: formatCount(rows.length) })),
    buildTable(shown, rows, { kind: "compact", name: say("perClassTitle") }),
  );
}

/**
 * @param {Job} job
 * @param {string} name
 */
const makeAddress = (job, name) => makeUrl(`/page/jobs/${job.job_id}/files/${encodeURIComponent(name)}`);

/** @param {string} name */
const findPictureWord = (name) => Object.entries(PICTURE_WORDS).find(([ending]) => name.endsWith(ending))?.[1];

/**
 * @param {Job} job
 * @param {string} name
 */
function buildZoomable(job, name) {
  const attributes = { class: "button download", href: makeAddress(job, name), download: name };
  const note = makeElement("small", { class: "note" }, say("zoomableNote"));
  return makeElement("p", {}, makeElement("a", attributes, say("zoomable")), " ", note);
}

/**
 * @param {Job} job
 * @param {string} name
 * @param {Word} word
 * @param {boolean} hasTitle
 */
function buildPicture(job, name, word, hasTitle = true) {
  const address = makeAddress(job, name);
  const image = makeElement("img", { src: address, alt: say(word), loading: "lazy" });
  return makeElement(
    "figure",
    { class: "picture" },
    hasTitle && makeElement("figcaption", {}, say(word)),
    makeElement("a", { href: address, target: "_blank" }, image),
  );
}
