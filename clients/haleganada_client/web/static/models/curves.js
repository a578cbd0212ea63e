// Loss and accuracy of both parts, as they grow.

import { colour, element } from "../dom.js";
import { axis, draw, place, wholeAxis } from "../plots.js";
import { percent, say } from "../words.js";

const POINTS_UP_TO = 30; // epochs that are shown as points too

export class Curves {
  #plots;

  constructor(parent) {
    this.#plots = [
      new Curve(parent, say("accuracyCurve"), ["train_accuracy", "validation_accuracy"], 100, percentWords),
      new Curve(parent, say("lossCurve"), ["train_loss", "validation_loss"], 1, (value) => value.toFixed(3)),
    ];
  }

  show(epochs) {
    for (const plot of this.#plots) plot.show(epochs);
  }
}

const percentWords = (value) => percent(value / 100);

class Curve {
  #box;
  #keys;
  #factor;
  #words;
  #title;
  #plot = null;

  // keys: of the training part and of the validation part. words(value): a value for people.
  constructor(parent, title, keys, factor, words) {
    [this.#title, this.#keys, this.#factor, this.#words] = [title, keys, factor, words];
    this.#box = place(parent, title, "");
    const key = (part, word) => element("span", { class: `key ${part}` }, say(word));
    this.#box.before(element("p", { class: "note legend" }, key("train", "partTrain"), key("validation", "partValidation")));
  }

  show(epochs) {
    const data = [epochs.map(({ epoch }) => epoch), ...this.#keys.map((key) => epochs.map((one) => this.#factor * one[key]))];
    const [train, validation] = data.slice(1).map((values) => this.#words(values.at(-1)));
    this.#box.setAttribute("aria-label", `${this.#title}: ${say("curveWords", { epoch: epochs.at(-1).epoch, train, validation })}`);
    if (this.#plot) this.#plot.setData(data);
    else this.#plot = draw(this.#box, data, this.#options());
  }

  #options() {
    const series = (token, dash) => ({
      stroke: colour(token), width: 2.5, dash, spanGaps: true,
      points: { show: (plot) => plot.data[0].length <= POINTS_UP_TO, size: 6, fill: colour(token), stroke: colour(token) },
    });
    return {
      axes: [wholeAxis(), axis()],
      scales: { x: { time: false, range: (_, __, most) => [1, Math.max(2, most)] }, y: { range: (_, __, most) => [0, this.#factor === 100 ? 100 : 1.1 * Math.max(most, 0.01)] } },
      series: [{}, series("--turmeric", [6, 5]), series("--good")],
    };
  }
}
