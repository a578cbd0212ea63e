// Data sets: the list, and uploading a new one.

import { count, moment, say, size } from "../i18n/words.js";
import { get } from "../server/api.js";
import { element } from "../ui/dom.js";
import { link, viewOf } from "../ui/navigation.js";
import { joinFacts } from "../ui/parts.js";
import { partsBar } from "./parts_bar.js";
import { uploadForm } from "./upload_form.js";

/** @type {ShowView} */
export async function showDatasets(view, _, life) {
  /** @type {Dataset[]} */
  const datasets = await get("/page/datasets");
  const list = datasets.length
    ? element("ul", { class: "cards" }, datasets.map(card))
    : element("p", { class: "empty" }, say("datasetsEmpty"));
  view.replaceChildren(uploadForm(life), list);
}

/** @param {Dataset} dataset */
function card(dataset) {
  const facts = joinFacts(
    say("labelsCount", { count: count(dataset.labels_total) }),
    dataset.writers > 0 && say("writersCount", { count: count(dataset.writers) }),
    size(dataset.size_bytes),
    moment(dataset.create_time),
  );
  return element(
    "li",
    { class: "group" },
    element("h3", {}, link(dataset.name, viewOf("dataset", dataset.dataset_id))),
    partsBar(dataset),
    element("p", { class: "note" }, facts),
    dataset.refused_total > 0
      && element("p", { class: "warning" }, say("refusedCount", { count: count(dataset.refused_total) })),
  );
}
