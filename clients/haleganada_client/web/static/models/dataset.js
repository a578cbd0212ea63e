// One data set: what is in it, what was refused, how balanced it is, what a network will see of it.

import { get } from "../api.js";
import { button, element } from "../dom.js";
import { samplesPlot } from "../plots.js";
import { count, moment, say, size } from "../words.js";
import { deleteNamed } from "./deleting.js";
import { back, facts, goTo, link, numbers, partsBar, place, problem, whenShown } from "./parts.js";
import { table } from "./sortable.js";

const ITEMS_SHOWN = 100;
const BARS = 40; // labels in the plot; of more, those with most and fewest
const VIEWS = 7;
const DRAWINGS = 6;
const LABELS_SHOWN = 30;
const NOTES = { MERGED_CHARACTERS: "mergedCharacters" };
const PARTS = { train: "partTrain", validation: "partValidation", test: "partTest" };

export async function showDataset(view, id, life) {
  const [dataset, presets] = await Promise.all([get(`/page/datasets/${encodeURIComponent(id)}`), get("/page/models/presets")]);
  const plot = element("div", { class: "plots" });
  view.replaceChildren(
    back("datasets", "datasets"),
    element("div", { class: "heading" }, element("h3", {}, dataset.name),
      element("div", { class: "row" }, link(say("trainOnThis"), place("train", dataset.dataset_id), { class: "button primary" }),
        button(say("deleteDataset"), () => remove(dataset), { class: "danger", id: "delete-dataset" }))),
    numbers([[count(dataset.train + dataset.validation + dataset.test), "samples"], [count(dataset.labels_total), "labels"],
      [dataset.writers ? count(dataset.writers) : null, "writers"], [dataset.imbalance ? `${dataset.imbalance.toFixed(1)} : 1` : null, "imbalance"]]),
    partsBar(dataset), leftOut(dataset), preview(dataset, presets, life), plot, labelTable(dataset), about(dataset));
  whenShown(view, () => balance(plot, dataset.labels));
}

// Refused, repeated and leaking items: what the reader should know before trusting a figure.
function leftOut(dataset) {
  const [leaked, duplicated] = [dataset.leaked, dataset.duplicated].map((left) => left.map((one) => [one.item, `${inPart(one.part)}= ${one.kept} ${inPart(one.kept_part)}`]));
  const refused = dataset.refused.map(({ item, error }) => [item, error.message]);
  return element("div", { class: "left-out" }, dataset.notes.map(note), items("leaks", leaked, dataset.leaks), items("duplicates", duplicated, dataset.duplicates, "note"), items("refusedCount", refused, dataset.refused_total));
}

// In the reader's language where it is known, else in the server's words.
function note({ reason, message, labels }) {
  const shown = labels.slice(0, LABELS_SHOWN).join(" ") + (labels.length > LABELS_SHOWN ? " …" : "");
  return element("p", { class: "warning" }, NOTES[reason] ? say(NOTES[reason], { count: count(labels.length), labels: shown }) : message);
}

const inPart = (part) => (part ? `(${say(PARTS[part])}) ` : "");

// Named items behind a line that counts them; nothing where there are none, the line alone where none is named.
function items(word, named, total, kind = "warning") {
  if (!total) return null;
  if (!named.length) return element("p", { class: kind }, say(word, { count: count(total) }));
  const rows = named.slice(0, ITEMS_SHOWN).map(([item, why]) => element("li", {}, element("code", {}, item), ` ${why}`));
  return element("details", { class: word },
    element("summary", { class: kind }, say(word, { count: count(total) })), element("ul", { class: "note" }, rows),
    total > rows.length && element("p", { class: "note" }, say("andMore", { count: count(total - rows.length) })));
}

// Drawings exactly as the network of a preset gets them in training: first as they are, then augmented.
function preview(dataset, presets, life) {
  const select = element("select", { id: "preview-preset", "aria-label": say("preset") }, presets.map(({ name, side }) => element("option", { value: name }, `${name} · ${side} px`)));
  const sheet = element("div");
  let seed = 0;
  const show = async () => {
    look.disabled = true;
    sheet.replaceChildren(element("p", { class: "note", role: "status" }, say("previewing")));
    try {
      const seen = await get(`/page/datasets/${dataset.dataset_id}/preview`, { preset: select.value, drawings: DRAWINGS, views: VIEWS, seed: seed++ });
      sheet.replaceChildren(pictures(seen));
    } catch (error) {
      if (!life.aborted) sheet.replaceChildren(problem(error.message || say("noAnswer")));
    }
    look.textContent = say("previewOthers");
    look.disabled = false;
  };
  const look = button(say("previewShow"), show, { id: "preview" });
  return element("section", { class: "preview" }, element("h3", {}, say("previewTitle")), element("p", { class: "note" }, say("previewNote")),
    element("div", { class: "row wrap" }, select, look), sheet);
}

// The server prints labels left of the pictures, which are square: what rows times pictures leave of the width is for labels.
function pictures({ labels, sheet, side }) {
  const heads = element("div", { class: "row heads note" }, element("span", {}, say("asItIs")), element("span", {}, say("augmented")));
  const align = ({ target: { naturalWidth, naturalHeight } }) => {
    heads.style.marginLeft = `${100 * (1 - ((VIEWS + 1) * naturalHeight) / labels.length / naturalWidth)}%`;
  };
  const image = element("img", { src: sheet, alt: say("previewAlt", { labels: labels.join(", "), side }), onload: align });
  return element("figure", { class: "sheet" }, heads, image);
}

function balance(parent, labels) {
  const bars = labels.map(({ label, train, validation, test }) => ({ label, samples: train + validation + test })).sort((a, b) => b.samples - a.samples);
  if (bars.length <= BARS) samplesPlot(parent, bars, say("balance"));
  else samplesPlot(parent, [...bars.slice(0, BARS / 2), ...bars.slice(-BARS / 2)], say("balanceEnds", { count: BARS / 2 }));
}

function labelTable({ labels }) {
  const number = (word, name) => ({ word, cell: (row) => count(row[name]), key: (row) => row[name], right: true });
  return element("details", {}, element("summary", {}, say("allLabels", { count: count(labels.length) })), table([
    { word: "label", cell: ({ label }) => element("span", { class: "script" }, label), key: ({ label }) => label },
    number("partTrain", "train"), number("partValidation", "validation"), number("partTest", "test"),
  ], labels, { kind: "compact", name: say("labels") }));
}

function about(dataset) {
  return facts([[say("made"), moment(dataset.create_time)], [say("size"), size(dataset.size_bytes)], ["SHA-256", element("code", { class: "long" }, dataset.sha256)]]);
}

function remove(dataset) {
  const text = say("deleteDatasetText", { name: dataset.name });
  return deleteNamed(`/page/datasets/${dataset.dataset_id}`, dataset.name, text, (message) => goTo("datasets", message));
}
