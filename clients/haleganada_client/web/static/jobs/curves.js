// Loss and accuracy of the training and the validation part, as they grow.

import { formatPercent, say } from "../i18n/words.js";
import { getThemeColor, makeElement } from "../ui/dom.js";
import { addPlotBox, drawPlot, makeAxis, makeWholeAxis } from "../ui/plots.js";

const MOST_POINTS = 30; // epochs up to which each is shown as a point too

export class Curves {
  #curves;

  /** @param {HTMLElement} parent */
  constructor(parent) {
    const accuracy = (/** @type {number} */ value) => formatPercent(value / 100);
    const loss = (/** @type {number} */ value) => value.toFixed(3);
    this.#curves = [
      new Curve(parent, { word: "accuracyCurve", metric: "accuracy", factor: 100, top: 100, format: accuracy }),
      new Curve(parent, { word: "lossCurve", metric: "loss", factor: 1, top: null, format: loss }),
    ];
  }

  /** @param {EpochMetrics[]} epochs */
  show(epochs) {
    for (const curve of this.#curves) curve.show(epochs);
  }
}

/**
 * @typedef {object} CurveOptions
 * @property {import("../i18n/words.js").Word} word  the title
 * @property {"accuracy" | "loss"} metric
 * @property {number} factor  by which values are multiplied
 * @property {number | null} top  of the y axis; null: as high as the data
 * @property {(value: number) => string} format  of a value that was multiplied
 */

class Curve {
  #box;
  #options;
  /** @type {Promise<uPlot> | null} */
  #plot = null;

  /**
   * @param {HTMLElement} parent
   * @param {CurveOptions} options
   */
  constructor(parent, options) {
    this.#options = options;
    this.#box = addPlotBox(parent, say(options.word), "");
    const legend = makeElement(
      "p",
      { class: "note legend" },
      makeElement("span", { class: "key train" }, say("partTrain")),
      makeElement("span", { class: "key validation" }, say("partValidation")),
    );
    this.#box.before(legend);
  }

  /** @param {EpochMetrics[]} epochs  at least one */
  show(epochs) {
    const { word, metric, factor, format } = this.#options;
    const train = epochs.map((epoch) => factor * epoch[`train_${metric}`]);
    const validation = epochs.map((epoch) => factor * epoch[`validation_${metric}`]);
    const last = epochs.length - 1;
    const words = say("curveWords", {
      epoch: epochs[last].epoch,
      train: format(train[last]),
      validation: format(validation[last]),
    });
    this.#box.setAttribute("aria-label", `${say(word)}: ${words}`);
    /** @type {uPlot.AlignedData} */
    const data = [epochs.map(({ epoch }) => epoch), train, validation];
    if (this.#plot) this.#plot.then((plot) => plot.setData(data));
    else this.#plot = drawPlot(this.#box, data, this.#plotOptions());
  }

  /** @returns {Omit<uPlot.Options, "width" | "height">} */
  #plotOptions() {
    const { top } = this.#options;
    return {
      axes: [makeWholeAxis(), makeAxis()],
      scales: {
        x: { time: false, range: (_, __, most) => [1, Math.max(2, most)] },
        y: { range: (_, __, most) => [0, top ?? 1.1 * Math.max(most, 0.01)] },
      },
      series: [{}, buildSeries("--turmeric", [6, 5]), buildSeries("--good")],
    };
  }
}

/**
 * @param {string} token  of the color
 * @param {number[]} [dash]
 * @returns {uPlot.Series}
 */
function buildSeries(token, dash) {
  const color = getThemeColor(token);
  const show = (/** @type {uPlot} */ plot) => plot.data[0].length <= MOST_POINTS;
  return { stroke: color, width: 2.5, dash, spanGaps: true, points: { show, size: 6, fill: color, stroke: color } };
}
