// How well it recognizes: numbers, plots, and what would help most next. All of it from Stats.

import { count, percent, say, size } from "../i18n/words.js";
import { get } from "../server/api.js";
import { button, byId, element } from "../ui/dom.js";
import { column, joinFacts, numbers } from "../ui/parts.js";
import { accuracyPlot, lossPlot, samplesPlot } from "../ui/plots.js";

const HISTORY = 2000; // drawings that the plots go back
const MOST_PAIRS = 8;
const METHODS = ["Predict", "Train"]; // whose speed is shown

/** Show the progress.
 * @param {(label: string) => void} onPractice  called when the reader wants to draw a label next
 * @param {(sampleId: number) => void} onOpen  called when the reader wants to look at a drawing
 */
export async function showProgress(onPractice, onOpen) {
  /** @type {Stats} */
  const stats = await get("/page/stats", { history: HISTORY });
  const panel = byId("progress");
  if (!stats.samples_total) {
    panel.replaceChildren(element("p", { class: "empty" }, say("progressEmpty")));
    return;
  }
  const plots = element("div", { class: "plots" });
  panel.replaceChildren(
    numbers([
      [count(stats.labels_known), "labels"],
      [count(stats.samples_total), "samples"],
      [stats.accuracy === null ? "–" : percent(stats.accuracy), "accuracy"],
      [stats.average_loss === null ? "–" : stats.average_loss.toFixed(2), "meanLoss"],
      [count(stats.corrections), "corrections"],
    ]),
    plots,
    element("div", { class: "columns" }, teachNext(stats, onPractice), confusedPairs(stats), suspects(onOpen)),
    element("p", { class: "note machine" }, machine(stats)),
  );
  accuracyPlot(plots, stats.history);
  lossPlot(plots, stats.history);
  samplesPlot(plots, stats.labels);
}

/**
 * @param {Stats} stats
 * @param {(label: string) => void} onPractice
 */
function teachNext(stats, onPractice) {
  const rows = stats.teach_next.map(({ label, confused_with: other }) =>
    element(
      "li",
      {},
      button(label, () => onPractice(label), { class: "chip script", title: say("drawNext", { label }) }),
      element("span", {}, other ? say("nextConfused", { other }) : say("nextFew")),
    ),
  );
  return column("nextTitle", rows, "nextNone");
}

/** @param {Stats} stats */
function confusedPairs(stats) {
  const rows = stats.confused_pairs
    .slice(0, MOST_PAIRS)
    .map(({ label, predicted, count: times }) =>
      element(
        "li",
        {},
        element("span", { class: "pair script" }, `${label} → ${predicted}`),
        element("span", {}, `${times}×`),
      ),
    );
  return column("confusedTitle", rows, "confusedNone");
}

/** Offer to look for mislabeled and repeated drawings. That takes the server a while, so it waits to be asked.
 * @param {(sampleId: number) => void} onOpen
 */
function suspects(onOpen) {
  const look = async () => {
    control.disabled = true;
    /** @type {Stats} */
    const stats = await get("/page/stats", { suspects: 1 }).finally(() => {
      control.disabled = false;
    });
    section.replaceWith(column("suspectsTitle", suspectRows(stats, onOpen), "suspectsNone"));
  };
  const control = button(say("findSuspects"), look);
  const section = element("section", {}, element("h3", {}, say("suspectsTitle")), control);
  return section;
}

/**
 * @param {Stats} stats
 * @param {(sampleId: number) => void} onOpen
 */
function suspectRows(stats, onOpen) {
  const row = (/** @type {number} */ id, /** @type {string} */ text) =>
    element(
      "li",
      {},
      button(text, () => onOpen(id), { class: "left" }),
    );
  return [
    ...stats.suspects.map(({ sample_id: id, label, looks_like: other }) =>
      row(id, say("suspect", { id, label, other })),
    ),
    ...stats.near_duplicates.map(({ sample_id: id, label, other_sample_id: older, other_label: other }) =>
      row(id, say("twice", { id, label, older, other })),
    ),
  ];
}

/** @param {Stats} stats */
function machine({ device, latencies, size_bytes: bytes, versions, revision, samples_to_embed: stale }) {
  const speeds = latencies
    .filter(({ method }) => METHODS.includes(method))
    .map(({ method, p50_ms: ms }) => `${method} ${ms.toFixed(1)} ms`);
  const version = versions.haleganada ?? versions.server;
  return joinFacts(
    device,
    ...speeds,
    size(bytes),
    version && `Haleganada ${version}`,
    say("revision", { number: revision }),
    stale > 0 && say("toEmbed", { count: stale }),
  );
}
