// How well it recognizes: numbers, plots, and what would help most next. All of it from Stats.

import { formatCount, formatPercent, formatSize, say } from "../i18n/words.js";
import { get } from "../server/api.js";
import { getById, makeElement, replaceKeepingFocus } from "../ui/dom.js";
import { buildColumn, buildNumbers, joinFacts } from "../ui/parts.js";
import { plotAccuracy, plotLoss, plotSamples } from "../ui/plots.js";
import { buildEvidence } from "./evidence.js";
import { buildScriptSize } from "./script_size.js";
import { buildSuspects } from "./suspects.js";

const HISTORY = 2000; // drawings that the plots go back
const MOST_PAIRS = 8;
const METHODS = ["Predict", "Train"]; // whose speed is shown

/** Show the progress.
 * @param {(label: string) => void} onPractice  called when the reader wants to draw a label next
 * @param {Undoable} change
 * @param {() => unknown} onScriptSize  called when the reader has said how many letters the script has
 */
export async function showProgress(onPractice, change, onScriptSize) {
  /** @type {Stats} */
  const stats = await get("/page/stats", { history: HISTORY });
  const panel = getById("progress");
  if (!stats.samples_total) {
    panel.replaceChildren(makeElement("p", { class: "empty" }, say("progressEmpty")));
    return;
  }
  const plots = makeElement("div", { class: "plots" });
  replaceKeepingFocus(
    panel,
    buildNumbers([
      [formatCount(stats.labels_known), "labels"],
      [formatCount(stats.samples_total), "samples"],
      [stats.accuracy === null ? "–" : formatPercent(stats.accuracy), "accuracy"],
      [stats.average_loss === null ? "–" : stats.average_loss.toFixed(2), "meanLoss"],
      [formatCount(stats.corrections), "corrections"],
    ]),
    buildScriptSize(stats.labels_known, onScriptSize),
    plots,
    makeElement(
      "div",
      { class: "columns" },
      buildTeachNext(stats, onPractice),
      buildConfusedPairs(stats),
      buildSuspects(change),
    ),
    makeElement("p", { class: "note machine" }, buildMachineFacts(stats)),
  );
  plotAccuracy(plots, stats.history);
  plotLoss(plots, stats.history);
  plotSamples(plots, stats.labels);
}

/**
 * @param {Stats} stats
 * @param {(label: string) => void} onPractice
 */
function buildTeachNext(stats, onPractice) {
  const rows = stats.teach_next.map(({ label, confused_with: other }) =>
    makeElement(
      "li",
      {},
      makeElement(
        "button",
        {
          type: "button",
          class: "chip script",
          title: say("drawNext", { label }),
          onclick: () => onPractice(label),
        },
        buildEvidence(label),
        label,
      ),
      makeElement("span", {}, other ? say("nextConfused", { other }) : say("nextFew")),
    ),
  );
  return buildColumn("nextTitle", rows, "nextNone");
}

/** @param {Stats} stats */
function buildConfusedPairs(stats) {
  const rows = stats.confused_pairs
    .slice(0, MOST_PAIRS)
    .map(({ label, predicted, count: times }) =>
      makeElement(
        "li",
        {},
        makeElement(
          "span",
          { class: "pair script" },
          buildEvidence(label),
          label,
          "→",
          buildEvidence(predicted),
          predicted,
        ),
        makeElement("span", {}, `${times}×`),
      ),
    );
  return buildColumn("confusedTitle", rows, "confusedNone");
}

/** @param {Stats} stats */
function buildMachineFacts({ device, latencies, size_bytes: bytes, versions, revision, samples_to_embed: stale }) {
  const speeds = latencies
    .filter(({ method }) => METHODS.includes(method))
    .map(({ method, p50_ms: ms }) => `${method} ${ms.toFixed(1)} ms`);
  const version = versions.haleganada ?? versions.server;
  return joinFacts(
    device,
    ...speeds,
    formatSize(bytes),
    version && `Haleganada ${version}`,
    say("revision", { number: revision }),
    stale > 0 && say("toEmbed", { count: stale }),
  );
}
