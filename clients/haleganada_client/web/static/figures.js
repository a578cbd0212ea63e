// Figures and plots, all from Stats.

import { get } from "./api.js";
import { byId, element } from "./dom.js";
import { say } from "./words.js";

const WINDOW = 20;   // taught samples over which loss and accuracy are averaged
const BARS = 40;

export async function showFigures(stats) {
  const panel = byId("figures");
  if (!stats.samples_total) {
    panel.replaceChildren(element("p", { class: "empty" }, say("figuresEmpty")));
    return;
  }
  const plots = element("div", { class: "plots" });
  panel.replaceChildren(numbers(stats), plots, ...lists(stats));
  plot(plots, say("lossTitle"), over(stats.history.map((point) => point.loss)), { colour: "--accent" });
  const tested = stats.history.filter((point) => !point.new_label);
  const right = over(tested.map((point) => (point.recognised ? 100 : 0)));
  plot(plots, say("accuracyTitle"), right, { colour: "--good", range: [0, 100] });
  const labels = [...stats.labels].sort((a, b) => b.samples - a.samples).slice(0, BARS);
  bars(plots, say("samplesTitle"), labels);
}

function numbers(stats) {
  const percent = stats.accuracy === null ? "–" : `${(100 * stats.accuracy).toFixed(1)} %`;
  const facts = [
    ["labels", stats.labels_known], ["samples", stats.samples_total], ["accuracy", percent],
    ["meanLoss", stats.average_loss?.toFixed(2) ?? "–"], ["corrections", stats.corrections],
    ["device", stats.device],
  ];
  return element("dl", { class: "numbers" }, ...facts.map(([word, value]) =>
    element("div", {}, element("dt", {}, say(word)), element("dd", {}, String(value)))));
}

// The running mean, with the number of the sample as x.
function over(values) {
  const x = values.map((_, i) => i + 1);
  const y = values.map((_, i) => {
    const recent = values.slice(Math.max(0, i + 1 - WINDOW), i + 1);
    return recent.reduce((sum, value) => sum + value, 0) / recent.length;
  });
  return [x, y];
}

function plot(parent, title, data, { colour, range }) {
  const box = place(parent, title);
  if (data[0].length < 2) {
    box.append(element("p", { class: "empty" }, say("tooFew")));
    return;
  }
  const stroke = css(colour);
  new uPlot({
    ...frame(box), scales: { x: { time: false }, y: range ? { range } : { range: (u, low, high) => [0, high * 1.1 || 1] } },
    series: [{}, { stroke, width: 2, fill: `${stroke}22`, points: { show: data[0].length < 30, size: 5 } }],
  }, data, box);
}

function bars(parent, title, labels) {
  const box = place(parent, title);
  const most = Math.max(...labels.map((label) => label.samples));
  const axes = frame(box).axes;
  axes[0].values = (u, splits) => splits.map((i) => labels[i]?.label ?? "");
  axes[0].splits = () => labels.map((_, i) => i);
  axes[0].font = axes[0].font.replace("12px", labels.length > 20 ? "10px" : "13px");
  new uPlot({
    ...frame(box), axes, scales: { x: { time: false, range: [-0.6, labels.length - 0.4] }, y: { range: [0, most + 1] } },
    series: [{}, { fill: css("--accent"), stroke: css("--accent"), paths: uPlot.paths.bars({ size: [0.6, 40] }), points: { show: false } }],
  }, [labels.map((_, i) => i), labels.map((label) => label.samples)], box);
}

function place(parent, title) {
  const box = element("div", { class: "plot" }, element("h3", {}, title));
  parent.append(box);
  return box;
}

function frame(box) {
  const axis = () => ({ stroke: css("--soft"), grid: { stroke: css("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, 'Noto Sans Kannada', sans-serif" });
  return { width: box.clientWidth, height: 210, legend: { show: false }, cursor: { show: false }, axes: [axis(), axis()] };
}

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function lists(stats) {
  const confused = stats.confused_pairs.slice(0, 8).map((pair) => say("takenFor", { label: pair.label, other: pair.predicted, count: pair.count }));
  const next = stats.teach_next.map((one) => (one.confused_with ? say("nextConfused", { label: one.label, other: one.confused_with }) : say("nextFew", { label: one.label })));
  const suspects = element("button", { type: "button", onclick: () => findSuspects(suspects) }, say("findSuspects"));
  return [...list("confusedTitle", confused), ...list("nextTitle", next), element("h3", {}, say("suspectsTitle")), suspects];
}

function list(title, lines) {
  if (!lines.length) return [];
  return [element("h3", {}, say(title)), element("ul", { class: "advice" }, ...lines.map((line) => element("li", {}, line)))];
}

async function findSuspects(button) {
  const { suspects } = await get("/page/stats", { suspects: "1" });
  const lines = suspects.map((one) => say("suspect", { id: one.sample_id, label: one.label, other: one.looks_like }));
  button.replaceWith(element("ul", { class: "advice" }, ...(lines.length ? lines : [say("noSuspects")]).map((line) => element("li", {}, line))));
}
