// Plots with uPlot, each with its numbers in words for those who do not see it.

import { formatPercent, say } from "../i18n/words.js";
import { ServerError } from "../server/api.js";
import { getThemeColor, makeElement } from "./dom.js";

const WINDOW = 20; // drawings over which loss and accuracy are averaged
const MOST_BARS = 40;
const HEIGHT_PX = 200;
const WHOLE_STEPS = [1, 2, 5]
  .flatMap((first) => [1, 10, 100, 1000, 10_000].map((power) => first * power))
  .sort((a, b) => a - b);
/** @type {Promise<unknown> | null} */
let library = null; // uPlot, once it was asked for
const FONT = '12px system-ui, "Noto Sans Kannada", sans-serif';

/** Plot how many of the last drawings were recognized before they were learned.
 * @param {HTMLElement} parent
 * @param {HistoryPoint[]} history
 */
export function plotAccuracy(parent, history) {
  const tested = history.filter((point) => !point.new_label);
  const data = computeRunningMean(tested.map((point) => (point.recognized ? 100 : 0)));
  plotLine(parent, say("accuracyTitle", { count: WINDOW }), data, "--good", 100, (last) => formatPercent(last / 100));
}

/** Plot the loss of the last drawings.
 * @param {HTMLElement} parent
 * @param {HistoryPoint[]} history
 */
export function plotLoss(parent, history) {
  const data = computeRunningMean(history.map((point) => point.loss));
  const top = 1.1 * Math.max(0.5, ...data[1]);
  plotLine(parent, say("lossTitle", { count: WINDOW }), data, "--accent", top, (last) => last.toFixed(2));
}

/** Plot how many drawings there are of each label, of those with most.
 * @param {HTMLElement} parent
 * @param {{ label: string, samples: number }[]} labels
 * @param {string} title
 */
export function plotSamples(parent, labels, title = say("samplesTitle")) {
  const largest = [...labels].sort((a, b) => b.samples - a.samples).slice(0, MOST_BARS);
  const box = addPlotBox(parent, title, largest.map(({ label, samples }) => `${label}: ${samples}`).join(", "), "wide");
  const places = largest.map((_, i) => i);
  drawPlot(box, [places, largest.map(({ samples }) => samples)], {
    axes: [
      {
        ...makeAxis(),
        splits: () => places,
        values: () => largest.map(({ label }) => shorten(label)),
        font: FONT.replace("12px", largest.length > 24 ? "11px" : "15px"),
        gap: 8,
      },
      makeWholeAxis(),
    ],
    scales: {
      x: { time: false, range: [-0.7, largest.length - 0.3] },
      y: { range: [0, largest[0].samples + 0.5] },
    },
    series: [
      {},
      {
        fill: getThemeColor("--turmeric"),
        stroke: getThemeColor("--turmeric"),
        width: 0,
        paths: (plot, ...range) => uPlot.paths.bars?.({ size: [0.6, 34], radius: 0.15 })(plot, ...range) ?? null,
        points: { show: false },
      },
    ],
  });
}

/** Add a box for a plot below a title.
 * @param {HTMLElement} parent
 * @param {string} title
 * @param {string} words  the plot's numbers for those who do not see it
 * @param {string} kind  a class
 */
export function addPlotBox(parent, title, words, kind = "") {
  const box = makeElement("div", { class: "canvas", role: "img", "aria-label": `${title}: ${words}` });
  parent.append(makeElement("section", { class: `plot ${kind}` }, makeElement("h3", {}, title), box));
  return box;
}

/** Draw a plot in a box, as wide as that, once the library is there.
 * @param {HTMLElement} box
 * @param {uPlot.AlignedData} data
 * @param {Omit<uPlot.Options, "width" | "height">} options
 */
export async function drawPlot(box, data, options) {
  await (library ??= loadLibrary());
  const size = () => ({ width: box.clientWidth, height: HEIGHT_PX });
  const plot = new uPlot({ ...size(), legend: { show: false }, cursor: { show: false }, ...options }, data, box);
  new ResizeObserver(() => box.clientWidth && plot.setSize(size())).observe(box);
  return plot;
}

/** Load uPlot. It is a third of the page, and most visits draw no plot. */
function loadLibrary() {
  const find = (/** @type {string} */ name) => String(new URL(`../vendor/${name}`, import.meta.url));
  const style = makeElement("link", { rel: "stylesheet", href: find("uplot.min.css") });
  return new Promise((resolve, reject) => {
    const onerror = () => {
      library = null; // the next plot tries again
      reject(new ServerError({}, 0));
    };
    document.head.append(style, makeElement("script", { src: find("uplot.min.js"), onload: resolve, onerror }));
  });
}

/** Return the options of an axis.
 * @returns {uPlot.Axis}
 */
export function makeAxis() {
  const grid = { stroke: getThemeColor("--line"), width: 1 };
  return { stroke: getThemeColor("--soft"), grid, ticks: { show: false }, font: FONT, size: 34 };
}

/** Return the options of an axis of what is counted: nobody draws one and a half. */
export const makeWholeAxis = () => ({ ...makeAxis(), incrs: WHOLE_STEPS });

/** Return the numbers of the values, and the mean of the last WINDOW values at each.
 * @param {number[]} values
 * @returns {[number[], number[]]}
 */
function computeRunningMean(values) {
  const means = values.map((_, i) => {
    const recent = values.slice(Math.max(0, i + 1 - WINDOW), i + 1);
    return recent.reduce((sum, value) => sum + value, 0) / recent.length;
  });
  return [values.map((_, i) => i + 1), means];
}

/**
 * @param {HTMLElement} parent
 * @param {string} title
 * @param {[number[], number[]]} data
 * @param {string} token  of the line's color
 * @param {number} top  of the y axis
 * @param {(last: number) => string} format
 */
function plotLine(parent, title, data, token, top, format) {
  const [x, y] = data;
  const last = y.at(-1);
  const words = last === undefined ? say("tooFew") : say("plotWords", { count: y.length, last: format(last) });
  const box = addPlotBox(parent, title, words);
  if (x.length < 2) {
    box.append(makeElement("p", { class: "note" }, say("tooFew")));
    return;
  }
  const points = { show: x.length < 30, size: 6, fill: getThemeColor(token) };
  drawPlot(box, data, {
    axes: [makeWholeAxis(), makeAxis()],
    scales: { x: { time: false }, y: { range: [0, top] } },
    series: [{}, { stroke: getThemeColor(token), width: 2.5, fill: getThemeColor(token, 0.13), points }],
  });
}

/** @param {string} label */
function shorten(label) {
  const characters = [...label];
  return characters.length > 4 ? `${characters.slice(0, 3).join("")}…` : label;
}
