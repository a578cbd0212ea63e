// One drawing that was taught: what it was taken for, when; another label, or none.

import { moment, say } from "../i18n/words.js";
import { get, post, url } from "../server/api.js";
import { MAX_LABEL_LENGTH } from "../server/limits.js";
import { closeDialog, showDialog } from "../ui/dialog.js";
import { button, element } from "../ui/dom.js";

/** @typedef {Pick<Sample, "sample_id" | "revision" | "label">} SampleKey */

/** Drawings that are fetched at once. */
export const NEWEST = 250;

/** Build a small slate with a drawing, which opens it.
 * @param {SampleKey} sample
 * @param {Change} change
 */
export function slate(sample, change) {
  const name = say("sampleName", { id: sample.sample_id, label: sample.label });
  return button(
    element("img", { src: pictureOf(sample), alt: "", loading: "lazy", width: 56, height: 56 }),
    () => openSample(sample.sample_id, change),
    { class: "mini", "aria-label": name, title: name },
  );
}

/** Show a drawing in a dialog.
 * @param {number} id
 * @param {Change} change
 */
export async function openSample(id, change) {
  /** @type {Sample} */
  const sample = await get(`/page/samples/${id}`);
  const input = element("input", {
    class: "script",
    maxlength: MAX_LABEL_LENGTH,
    required: true,
    list: "known",
    spellcheck: "false",
    "aria-label": say("label"),
  });
  input.value = sample.label;
  const relabel = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const label = input.value;
    closeDialog();
    if (label === sample.label) return;
    change(() => post(`/page/samples/${id}/relabel`, { label }), say("relabeled", { label }));
  };
  const forget = () => {
    closeDialog();
    change(() => post(`/page/samples/${id}/forget`, {}), say("forgotten"));
  };
  const picture = element("img", { src: pictureOf(sample), alt: sample.label, width: 160, height: 160 });
  showDialog(
    say("sampleName", { id, label: sample.label }),
    element(
      "div",
      { class: "sample" },
      element("div", { class: "mini large" }, picture),
      element("p", { class: "note" }, `${moment(sample.create_time)}. ${history(sample)}`),
    ),
    element(
      "form",
      { class: "row", onsubmit: relabel },
      input,
      element("button", { class: "primary" }, say("relabel")),
    ),
    element("div", { class: "row end" }, button(say("forget"), forget, { class: "danger" })),
  );
}

/** @param {Sample} sample */
function history({ predicted, label }) {
  if (!predicted) return say("wasUnknown");
  return predicted === label ? say("wasRecognized") : say("wasTakenFor", { label: predicted });
}

/** Return the address of a drawing's picture. The revision is part of it, since after a restore a number may name another
 * drawing.
 * @param {SampleKey} sample
 */
const pictureOf = ({ sample_id: id, revision }) => url(`/page/samples/${id}.png`, { revision });
