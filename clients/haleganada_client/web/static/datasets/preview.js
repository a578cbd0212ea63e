// Drawings exactly as the network of a preset gets them in training: first as they are, then augmented.

import { say } from "../i18n/words.js";
import { get } from "../server/api.js";
import { explain } from "../server/errors.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { buildProblem } from "../ui/parts.js";

const VIEWS = 7; // augmented pictures of a drawing
const DRAWINGS = 6;

/** Build the section that shows them when it is asked to.
 * @param {Dataset} dataset
 * @param {Preset[]} presets
 * @param {AbortSignal} life
 */
export function buildPreviewSection(dataset, presets, life) {
  const menu = makeElement(
    "select",
    { id: "preview-preset", "aria-label": say("preset") },
    presets.map(({ name, input_size_px: side }) => makeElement("option", { value: name }, `${name} · ${side} px`)),
  );
  const sheet = makeElement("div");
  let seed = 0;
  const show = async () => {
    control.disabled = true;
    sheet.replaceChildren(makeElement("p", { class: "note", role: "status" }, say("previewing")));
    const options = { preset: menu.value, drawings: DRAWINGS, views: VIEWS, seed: seed++ };
    try {
      sheet.replaceChildren(buildFigure(await get(`/page/datasets/${dataset.dataset_id}/preview`, options)));
    } catch (error) {
      if (!life.aborted) sheet.replaceChildren(buildProblem(explain(error)));
    }
    control.textContent = say("previewOthers");
    control.disabled = false;
  };
  const control = makeButton(say("previewShow"), show, { id: "preview" });
  return makeElement(
    "section",
    { class: "preview" },
    makeElement("h3", {}, say("previewTitle")),
    makeElement("p", { class: "note" }, say("previewNote")),
    makeElement("div", { class: "row wrap" }, menu, control),
    sheet,
  );
}

/** Show the sheet below headings. The server prints labels left of the pictures, which are square: what rows times
 * pictures leave of the width is for labels.
 * @param {DatasetSheet} preview
 */
function buildFigure({ labels, sheet, input_size_px: side }) {
  const original = makeElement("span", {}, say("asItIs"));
  const headings = makeElement("div", { class: "row heads note" }, original, makeElement("span", {}, say("augmented")));
  const align = () => {
    const pictures = ((VIEWS + 1) * image.naturalHeight) / labels.length;
    headings.style.marginLeft = `${100 * (1 - pictures / image.naturalWidth)}%`;
  };
  const alt = say("previewAlt", { labels: labels.join(", "), side });
  const image = makeElement("img", { src: sheet, alt, onload: align });
  return makeElement("figure", { class: "sheet" }, headings, image);
}
