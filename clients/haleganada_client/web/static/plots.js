// Plots with uPlot, each with its figures in words for those who do not see it.

import { colour, element } from "./dom.js";
import { percent, say } from "./words.js";

const WINDOW = 20; // taught drawings over which loss and accuracy are averaged
const BARS = 40;
const HEIGHT = 200;
const WHOLE = [1, 2, 5].flatMap((first) => [1, 10, 100, 1000, 10_000].map((power) => first * power)).sort((a, b) => a - b);
const FONT = '12px system-ui, "Noto Sans Kannada", sans-serif';

export function accuracyPlot(parent, history) {
  const tested = history.filter((point) => !point.new_label);
  const data = running(tested.map((point) => (point.recognized ? 100 : 0)));
  line(parent, say("accuracyTitle", { count: WINDOW }), data, "--good", [0, 100], (last) => percent(last / 100));
}

export function lossPlot(parent, history) {
  const data = running(history.map((point) => point.loss));
  const most = Math.max(0.5, ...data[1]);
  line(parent, say("lossTitle", { count: WINDOW }), data, "--accent", [0, 1.1 * most], (last) => last.toFixed(2));
}

export function samplesPlot(parent, labels, title = say("samplesTitle")) {
  const most = [...labels].sort((a, b) => b.samples - a.samples).slice(0, BARS);
  const words = most.map(({ label, samples }) => `${label}: ${samples}`).join(", ");
  const box = place(parent, title, words, "wide");
  const x = axis();
  x.splits = () => most.map((_, i) => i);
  x.values = () => most.map(({ label }) => ([...label].length > 4 ? `${[...label].slice(0, 3).join("")}…` : label));
  x.font = FONT.replace("12px", most.length > 24 ? "11px" : "15px");
  x.gap = 8;
  const y = wholeAxis();
  draw(box, [most.map((_, i) => i), most.map(({ samples }) => samples)], {
    axes: [x, y],
    scales: { x: { time: false, range: [-0.7, most.length - 0.3] }, y: { range: [0, most[0].samples + 0.5] } },
    series: [{}, { fill: colour("--turmeric"), stroke: colour("--turmeric"), width: 0, paths: uPlot.paths.bars({ size: [0.6, 34], radius: 0.15 }), points: { show: false } }],
  });
}

// [numbers of the values, means of the WINDOW values up to each]
function running(values) {
  const means = values.map((_, i) => {
    const recent = values.slice(Math.max(0, i + 1 - WINDOW), i + 1);
    return recent.reduce((sum, value) => sum + value, 0) / recent.length;
  });
  return [values.map((_, i) => i + 1), means];
}

function line(parent, title, data, token, range, words) {
  const [x, y] = data;
  const box = place(parent, title, x.length ? say("plotWords", { count: x.length, last: words(y.at(-1)) }) : say("tooFew"));
  if (x.length < 2) {
    box.append(element("p", { class: "note" }, say("tooFew")));
    return;
  }
  draw(box, data, {
    axes: [wholeAxis(), axis()],
    scales: { x: { time: false }, y: { range } },
    series: [{}, { stroke: colour(token), width: 2.5, fill: colour(token, 0.13), points: { show: x.length < 30, size: 6, fill: colour(token) } }],
  });
}

// A box for a plot below its title; words: its figures for those who do not see it.
export function place(parent, title, words, kind = "") {
  const box = element("div", { class: "canvas", role: "img", "aria-label": `${title}: ${words}` });
  parent.append(element("section", { class: `plot ${kind}` }, element("h3", {}, title), box));
  return box;
}

// A uPlot in a box, as wide as that.
export function draw(box, data, options) {
  const plot = new uPlot({ width: box.clientWidth, height: HEIGHT, legend: { show: false }, cursor: { show: false }, ...options }, data, box);
  new ResizeObserver(() => box.clientWidth && plot.setSize({ width: box.clientWidth, height: HEIGHT })).observe(box);
  return plot;
}

export function axis() {
  const line = { stroke: colour("--line"), width: 1 };
  return { stroke: colour("--soft"), grid: line, ticks: { show: false }, font: FONT, size: 34 };
}

// For what is counted: nobody draws one and a half.
export const wholeAxis = () => ({ ...axis(), incrs: WHOLE });
