// Data sets: the list, and sending a new one.

import { get } from "../api.js";
import { element } from "../dom.js";
import { count, moment, say, size } from "../words.js";
import { link, partsBar, place } from "./parts.js";
import { uploadForm } from "./uploading.js";

export async function showDatasets(view, _, life) {
  const datasets = await get("/page/datasets");
  view.replaceChildren(
    uploadForm(life),
    datasets.length ? element("ul", { class: "cards" }, datasets.map(card)) : element("p", { class: "empty" }, say("datasetsEmpty")));
}

function card(dataset) {
  const facts = [say("labelsCount", { count: count(dataset.labels_total) }), dataset.writers > 0 && say("writersCount", { count: count(dataset.writers) }),
    size(dataset.size_bytes), moment(dataset.create_time)];
  const refused = dataset.refused_total > 0 && element("p", { class: "warning" }, say("refusedCount", { count: count(dataset.refused_total) }));
  return element("li", { class: "group" },
    element("h3", {}, link(dataset.name, place("dataset", dataset.dataset_id))),
    partsBar(dataset), element("p", { class: "note" }, facts.filter(Boolean).join(" · ")), refused);
}
