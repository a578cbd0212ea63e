// One data set: what is in it, what was left out, how balanced it is.

import { count, moment, say, size } from "../i18n/words.js";
import { get } from "../server/api.js";
import { explain } from "../server/errors.js";
import { deleteByName } from "../ui/deletion.js";
import { button, element } from "../ui/dom.js";
import { backLink, goTo, link, viewOf, whenShown } from "../ui/navigation.js";
import { factList, numbers } from "../ui/parts.js";
import { samplesPlot } from "../ui/plots.js";
import { table } from "../ui/table.js";
import { PART_WORDS, partsBar } from "./parts_bar.js";
import { previewSection } from "./preview.js";

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
  const plot = element("div", { class: "plots" });
  view.replaceChildren(
    backLink("datasets", "datasets"),
    heading(dataset),
    facts(dataset),
    partsBar(dataset),
    leftOut(dataset),
    previewSection(dataset, presets, life),
    plot,
    labelTable(dataset),
    factList([
      [say("made"), moment(dataset.create_time)],
      [say("size"), size(dataset.size_bytes)],
      ["SHA-256", element("code", { class: "long" }, dataset.sha256)],
    ]),
  );
  whenShown(view, () => plotBalance(plot, dataset.labels));
}

/** @param {Dataset} dataset */
function heading(dataset) {
  const train = link(say("trainOnThis"), viewOf("train", dataset.dataset_id), { class: "button primary" });
  const attributes = { class: "danger", id: "delete-dataset" };
  return element(
    "div",
    { class: "heading" },
    element("h3", {}, dataset.name),
    element(
      "div",
      { class: "row" },
      train,
      button(say("deleteDataset"), () => remove(dataset), attributes),
    ),
  );
}

/** @param {Dataset} dataset */
function facts({ train, validation, test, labels_total: labels, writers, imbalance }) {
  return numbers([
    [count(train + validation + test), "samples"],
    [count(labels), "labels"],
    [writers ? count(writers) : null, "writers"],
    [imbalance ? `${imbalance.toFixed(1)} : 1` : null, "imbalance"],
  ]);
}

/** Show what was rejected, repeated or leaks between parts: what the reader should know before trusting a metric.
 * @param {Dataset} dataset
 */
function leftOut({ notes, leaked, leaks, duplicated, duplicates, refused, refused_total: total }) {
  const asItem = (/** @type {RepeatedItem} */ { item, part, kept, kept_part: keptPart }) =>
    /** @type {Item} */ ([item, `${inPart(part)}= ${kept} ${inPart(keptPart)}`]);
  const rejected = refused.map(({ item, error }) => /** @type {Item} */ ([item, explain(error)]));
  return element(
    "div",
    { class: "left-out" },
    ...notes.map(note),
    itemList("leaks", leaked.map(asItem), leaks),
    itemList("duplicates", duplicated.map(asItem), duplicates, "note"),
    itemList("refusedCount", rejected, total),
  );
}

/** Show a note in the reader's language where it is known, else in the server's words.
 * @param {DatasetNote} note
 */
function note({ reason, message, labels }) {
  const shown = labels.slice(0, LABELS_SHOWN).join(" ") + (labels.length > LABELS_SHOWN ? " …" : "");
  const isKnown = reason === "MERGED_CHARACTERS";
  const text = isKnown ? say("mergedCharacters", { count: count(labels.length), labels: shown }) : message;
  return element("p", { class: "warning" }, text);
}

/** @param {PartName | ""} part */
const inPart = (part) => (part ? `(${say(PART_WORDS[part])}) ` : "");

/** @typedef {[string, string]} Item  Its name, and what is to be said of it. */

/** Show items behind a line that counts them; nothing where there are none, the line alone where none is named.
 * @param {"leaks" | "duplicates" | "refusedCount"} word
 * @param {Item[]} items
 * @param {number} total
 * @param {string} kind  a class of the line
 */
function itemList(word, items, total, kind = "warning") {
  if (!total) return null;
  const text = say(word, { count: count(total) });
  if (!items.length) return element("p", { class: kind }, text);
  const rows = items.slice(0, MOST_ITEMS).map(([name, why]) => element("li", {}, element("code", {}, name), ` ${why}`));
  const more = total - rows.length;
  return element(
    "details",
    { class: word },
    element("summary", { class: kind }, text),
    element("ul", { class: "note" }, rows),
    more > 0 && element("p", { class: "note" }, say("andMore", { count: count(more) })),
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
  if (bars.length <= MOST_BARS) samplesPlot(parent, bars, say("balance"));
  else samplesPlot(parent, [...bars.slice(0, half), ...bars.slice(-half)], say("balanceEnds", { count: half }));
}

/** @param {Dataset} dataset */
function labelTable({ labels }) {
  const numberOf = (/** @type {PartName} */ part) => ({
    word: PART_WORDS[part],
    cell: (/** @type {DatasetLabel} */ row) => count(row[part]),
    key: (/** @type {DatasetLabel} */ row) => row[part],
    right: true,
  });
  /** @type {import("../ui/table.js").Column<DatasetLabel>[]} */
  const columns = [
    {
      word: "label",
      cell: ({ label }) => element("span", { class: "script" }, label),
      key: ({ label }) => label,
    },
    numberOf("train"),
    numberOf("validation"),
    numberOf("test"),
  ];
  return element(
    "details",
    {},
    element("summary", {}, say("allLabels", { count: count(labels.length) })),
    table(columns, labels, { kind: "compact", name: say("labels") }),
  );
}

/** @param {Dataset} dataset */
function remove({ dataset_id: id, name }) {
  const done = (/** @type {string} */ message) => goTo("datasets", message);
  return deleteByName({ path: `/page/datasets/${id}`, name, text: say("deleteDatasetText", { name }), done });
}
