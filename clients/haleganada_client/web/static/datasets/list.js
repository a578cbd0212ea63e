// Data sets: the list, and uploading a new one.

import { formatCount, formatSize, formatTime, say } from "../i18n/words.js";
import { get } from "../server/api.js";
import { makeElement } from "../ui/dom.js";
import { makeLink, nameView } from "../ui/navigation.js";
import { joinFacts } from "../ui/parts.js";
import { explainDamage } from "./damage.js";
import { buildPartsBar } from "./parts_bar.js";
import { buildUploadForm } from "./upload_form.js";

/** @type {ShowView} */
export async function showDatasets(view, _, life) {
  /** @type {Dataset[]} */
  const datasets = await get("/page/datasets");
  const list = datasets.length
    ? makeElement("ul", { class: "cards" }, datasets.map(buildCard))
    : makeElement("p", { class: "empty" }, say("datasetsEmpty"));
  view.replaceChildren(buildUploadForm(life), list);
}

/** @param {Dataset} dataset */
function buildCard(dataset) {
  const facts = joinFacts(
    say("labelsCount", { count: formatCount(dataset.labels_total) }),
    dataset.writers > 0 && say("writersCount", { count: formatCount(dataset.writers) }),
    formatSize(dataset.size_bytes),
    formatTime(dataset.create_time),
  );
  return makeElement(
    "li",
    { class: "group" },
    makeElement("h3", {}, makeLink(dataset.name, nameView("dataset", dataset.dataset_id))),
    buildPartsBar(dataset),
    makeElement("p", { class: "note" }, facts),
    dataset.damage !== "" && makeElement("p", { class: "warning" }, explainDamage(dataset)),
    dataset.refused_total > 0
      && makeElement("p", { class: "warning" }, say("refusedCount", { count: formatCount(dataset.refused_total) })),
  );
}
