// How it is learning: numbers, plots, and what would help most next. All of it from Stats.

import { get } from "./api.js";
import { button, byId, element } from "./dom.js";
import { accuracyPlot, lossPlot, samplesPlot } from "./plots.js";
import { count, percent, say, size } from "./words.js";

const HISTORY = 2000; // taught drawings that the plots go back
const PAIRS = 8;

// onPractise(label): the reader wants to teach this label next. onOpen(sampleId): to look at a drawing.
export async function showFigures(onPractise, onOpen) {
  const stats = await get("/page/stats", { history: HISTORY });
  const panel = byId("figures");
  if (!stats.samples_total) {
    panel.replaceChildren(element("p", { class: "empty" }, say("figuresEmpty")));
    return;
  }
  const plots = element("div", { class: "plots" });
  panel.replaceChildren(numbers(stats), plots, element("div", { class: "columns" }, next(stats, onPractise), confused(stats), suspects(onOpen)), machine(stats));
  accuracyPlot(plots, stats.history);
  lossPlot(plots, stats.history);
  samplesPlot(plots, stats.labels);
}

function numbers(stats) {
  const facts = [
    [count(stats.labels_known), "labels"], [count(stats.samples_total), "samples"],
    [stats.accuracy === null ? "–" : percent(stats.accuracy), "accuracy"],
    [stats.average_loss === null ? "–" : stats.average_loss.toFixed(2), "meanLoss"], [count(stats.corrections), "corrections"],
  ];
  return element("dl", { class: "numbers" }, facts.map(([value, word]) => element("div", {}, element("dt", {}, say(word)), element("dd", {}, value))));
}

function next(stats, onPractise) {
  const rows = stats.teach_next.map(({ label, confused_with: other }) => element("li", {},
    button(label, () => onPractise(label), { class: "chip script", title: say("practise", { label }) }),
    element("span", {}, other ? say("nextConfused", { other }) : say("nextFew"))));
  return column("nextTitle", rows, "nextNone");
}

function confused(stats) {
  const rows = stats.confused_pairs.slice(0, PAIRS).map(({ label, predicted, count: times }) => element("li", {},
    element("span", { class: "pair script" }, `${label} → ${predicted}`), element("span", {}, `${times}×`)));
  return column("confusedTitle", rows, "confusedNone");
}

// Looking for mislabelled and repeated drawings takes the server a while, so it is only done when asked for.
function suspects(onOpen) {
  const box = element("section", {}, element("h3", {}, say("suspectsTitle")));
  const look = button(say("findSuspects"), async () => {
    look.disabled = true;
    const found = await get("/page/stats", { suspects: 1 }).finally(() => { look.disabled = false; });
    const row = (text, id) => element("li", {}, button(text, () => onOpen(id), { class: "left" }));
    const rows = [
      ...found.suspects.map((one) => row(say("suspect", { id: one.sample_id, label: one.label, other: one.looks_like }), one.sample_id)),
      ...found.near_duplicates.map((one) => row(
        say("twice", { id: one.sample_id, label: one.label, older: one.other_sample_id, other: one.other_label }), one.sample_id)),
    ];
    look.replaceWith(column("suspectsTitle", rows, "suspectsNone").lastChild);
  });
  box.append(look);
  return box;
}

function column(title, rows, none) {
  return element("section", {}, element("h3", {}, say(title)), rows.length ? element("ul", { class: "advice" }, rows) : element("p", { class: "note" }, say(none)));
}

function machine(stats) {
  const speed = stats.latencies.filter(({ method }) => ["Predict", "Train"].includes(method)).map(({ method, p50_ms: ms }) => `${method} ${ms.toFixed(1)} ms`);
  const version = stats.versions.haleganada ?? stats.versions.server;
  const facts = [stats.device, ...speed, size(stats.size_bytes), version && `Haleganada ${version}`, say("revision", { number: stats.revision }),
    stats.samples_to_embed > 0 && say("toEmbed", { count: stats.samples_to_embed })];
  return element("p", { class: "note machine" }, facts.filter(Boolean).join(" · "));
}
