// One data set: what is in it, what was left out, how balanced it is.

import { formatCount, formatSize, formatTime, say } from "../i18n/words.js";
import { get } from "../server/api.js";
import { explain } from "../server/errors.js";
import { deleteByName } from "../ui/deletion.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { goTo, makeBackLink, makeLink, nameView, runWhenShown } from "../ui/navigation.js";
import { buildFactList, buildNumbers, buildProblem } from "../ui/parts.js";
import { plotSamples } from "../ui/plots.js";
import { buildTable } from "../ui/table.js";
import { explainDamage } from "./damage.js";
import { PART_WORDS, buildPartsBar } from "./parts_bar.js";
import { buildPreviewSection } from "./preview.js";

const MOST_ITEMS = 100;
const MOST_BARS = 40; // labels in the plot; of more, the largest and the smallest
const LABELS_SHOWN = 30;

/** @type {ShowView} */
export async function showDataset(view, id, life) {
  /** @type {[Dataset, Preset[]]} */
  const [dataset, presets] = await Promise.all([
    get(`/page/datasets/${encodeURIComponent(id)}`),
    get("/page/models/presets"),
  ]);
  const plot = makeElement("div", { class: "plots" });
  view.replaceChildren(
    makeBackLink("datasets", "datasets"),
    buildHeading(dataset),
    makeElement("div", {}, dataset.damage ? buildProblem(explainDamage(dataset)) : null),
    buildFacts(dataset),
    buildPartsBar(dataset),
    buildNotes(dataset),
    buildPreviewSection(dataset, presets, life),
    plot,
    buildLabelTable(dataset),
    buildFactList([
      [say("made"), formatTime(dataset.create_time)],
      [say("size"), formatSize(dataset.size_bytes)],
      ["SHA-256", makeElement("code", { class: "long" }, dataset.sha256)],
    ]),
  );
  runWhenShown(view, () => plotBalance(plot, dataset.labels));
}

/** @param {Dataset} dataset */
function buildHeading(dataset) {
  const train = makeLink(say("trainOnThis"), nameView("train", dataset.dataset_id), { class: "button primary" });
  const attributes = { class: "danger", id: "delete-dataset" };
  return makeElement(
    "div",
    { class: "heading" },
    makeElement("h3", {}, dataset.name),
    makeElement(
      "div",
      { class: "row" },
      train,
      makeButton(say("deleteDataset"), () => remove(dataset), attributes),
    ),
  );
}

/** @param {Dataset} dataset */
function buildFacts({ train, validation, test, labels_total: labels, writers, imbalance, unknown }) {
  const ofNone = unknown.train + unknown.validation + unknown.test;
  return buildNumbers([
    [formatCount(train + validation + test), "samples"],
    [formatCount(labels), "labels"],
    [ofNone ? formatCount(ofNone) : null, "samplesOfNoLabel"],
    [writers ? formatCount(writers) : null, "writers"],
    [imbalance ? `${imbalance.toFixed(1)} : 1` : null, "imbalance"],
  ]);
}

/** Show what was rejected, repeated or leaks between parts: what the reader should know before trusting a metric.
 * @param {Dataset} dataset
 */
function buildNotes({ notes, leaked, leaks, duplicated, duplicates, refused, refused_total: total }) {
  const asItem = (/** @type {RepeatedItem} */ { item, part, kept, kept_part: keptPart }) =>
    /** @type {Item} */ ([item, `${describePart(part)}= ${kept} ${describePart(keptPart)}`]);
  const rejected = refused.map(({ item, error }) => /** @type {Item} */ ([item, explain(error)]));
  return makeElement(
    "div",
    { class: "left-out" },
    ...notes.map(describeNote),
    buildItemList("leaks", leaked.map(asItem), leaks),
    buildItemList("duplicates", duplicated.map(asItem), duplicates, "note"),
    buildItemList("refusedCount", rejected, total),
  );
}

/** Show a note in the reader's language where it is known, else in the server's words.
 * @param {DatasetNote} note
 */
function describeNote({ reason, message, labels }) {
  const shown = labels.slice(0, LABELS_SHOWN).join(" ") + (labels.length > LABELS_SHOWN ? " …" : "");
  const isKnown = reason === "MERGED_CHARACTERS";
  const text = isKnown ? say("mergedCharacters", { count: formatCount(labels.length), labels: shown }) : message;
  return makeElement("p", { class: "warning" }, text);
}

/** @param {PartName | ""} part */
const describePart = (part) => (part ? `(${say(PART_WORDS[part])}) ` : "");

/** @typedef {[string, string]} Item  Its name, and what is to be said of it. */

/** Show items behind a line that counts them; nothing where there are none, the line alone where none is named.
 * @param {"leaks" | "duplicates" | "refusedCount"} word
 * @param {Item[]} items
 * @param {number} total
 * @param {string} kind  a class of the line
 */
function buildItemList(word, items, total, kind = "warning") {
  if (!total) return null;
  const text = say(word, { count: formatCount(total) });
  if (!items.length) return makeElement("p", { class: kind }, text);
  const rows = items
    .slice(0, MOST_ITEMS)
    .map(([name, why]) => makeElement("li", {}, makeElement("code", {}, name), ` ${why}`));
  const more = total - rows.length;
  return makeElement(
    "details",
    { class: word },
    makeElement("summary", { class: kind }, text),
    makeElement("ul", { class: "note" }, rows),
    more > 0 && makeElement("p", { class: "note" }, say("andMore", { count: formatCount(more) })),
  );
}

/**
 * @param {HTMLElement} parent
 * @param {DatasetLabel[]} labels
 */
function plotBalance(parent, labels) {
  const bars = labels
    .map(({ label, train, validation, test }) => ({ label, samples: train + validation + test }))
    .sort((a, b) => b.samples - a.samples);
  const half = MOST_BARS / 2;
  if (bars.length <= MOST_BARS) plotSamples(parent, bars, say("balance"));
  else plotSamples(parent, [...bars.slice(0, half), ...bars.slice(-half)], say("balanceEnds", { count: half }));
}

/** @param {Dataset} dataset */
function buildLabelTable({ labels }) {
  const numberOf = (/** @type {PartName} */ part) => ({
    word: PART_WORDS[part],
    cell: (/** @type {DatasetLabel} */ row) => formatCount(row[part]),
    key: (/** @type {DatasetLabel} */ row) => row[part],
    right: true,
  });
  /** @type {import("../ui/table.js").Column<DatasetLabel>[]} */
  const columns = [
    {
      word: "label",
      cell: ({ label }) => makeElement("span", { class: "script" }, label),
      key: ({ label }) => label,
    },
    numberOf("train"),
    numberOf("validation"),
    numberOf("test"),
  ];
  return makeElement(
    "details",
    {},
    makeElement("summary", {}, say("allLabels", { count: formatCount(labels.length) })),
    buildTable(columns, labels, { kind: "compact", name: say("labels") }),
  );
}

/** @param {Dataset} dataset */
function remove({ dataset_id: id, name }) {
  const done = (/** @type {string} */ message) => goTo("datasets", message);
  return deleteByName({ path: `/page/datasets/${id}`, name, text: say("deleteDatasetText", { name }), done });
}
