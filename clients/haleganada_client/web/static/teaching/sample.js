// One drawing that was taught: what it was taken for, when; another label, or none.

import { formatTime, say } from "../i18n/words.js";
import { get } from "../server/api.js";
import { postIfAsShown } from "../server/guard.js";
import { MAX_LABEL_LENGTH } from "../server/limits.js";
import { closeDialog, showDialog } from "../ui/dialog.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { buildPicture } from "./evidence.js";

/** @typedef {Pick<Sample, "sample_id" | "label">} SampleKey */

/** Drawings that are fetched at once. */
export const NEWEST = 250;

/** Build a small slate with a drawing, which opens it.
 * @param {SampleKey} sample
 * @param {Undoable} change
 */
export function buildSlate(sample, change) {
  const name = say("sampleName", { id: sample.sample_id, label: sample.label });
  return makeButton(buildPicture(sample.sample_id, { side: 56 }), () => openSample(sample.sample_id, change), {
    class: "mini",
    "aria-label": name,
    title: name,
  });
}

/** Show a drawing in a dialog.
 * @param {number} id
 * @param {Undoable} change
 */
export async function openSample(id, change) {
  /** @type {Sample} */
  const sample = await get(`/page/samples/${id}`);
  const input = makeElement("input", {
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
    const run = async () => {
      const { workspace_revision: revision } = await postIfAsShown(`/page/samples/${id}/relabel`, { label }, isAsShown);
      return { revision };
    };
    change(run, say("relabeled", { label }), small);
  };
  const forget = () => {
    closeDialog();
    change(() => postIfAsShown(`/page/samples/${id}/forget`, {}, isAsShown), say("forgotten"), small);
  };
  const isAsShown = async () => {
    /** @type {Sample} */
    const now = await get(`/page/samples/${id}`);
    return now.label === sample.label && now.revision === sample.revision;
  };
  const picture = buildPicture(id, { side: 160, alt: sample.label });
  const small = buildPicture(id);
  showDialog(
    say("sampleName", { id, label: sample.label }),
    makeElement(
      "div",
      { class: "sample" },
      makeElement("div", { class: "mini large" }, picture),
      makeElement("p", { class: "note" }, `${formatTime(sample.create_time)}. ${describeHistory(sample)}`),
    ),
    makeElement(
      "form",
      { class: "row", onsubmit: relabel },
      input,
      makeElement("button", { class: "primary" }, say("relabel")),
    ),
    makeElement("div", { class: "row end" }, makeButton(say("forget"), forget, { class: "danger" })),
  );
}

/** @param {Sample} sample */
function describeHistory({ predicted, label }) {
  if (!predicted) return say("wasUnknown");
  return predicted === label ? say("wasRecognized") : say("wasTakenFor", { label: predicted });
}
