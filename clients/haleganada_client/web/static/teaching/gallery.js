// What was taught, label by label, each drawing on a slate of its own.

import { say } from "../i18n/words.js";
import { get } from "../server/api.js";
import { getById, makeButton, makeElement, replaceKeepingFocus } from "../ui/dom.js";
import { joinFacts } from "../ui/parts.js";
import { openLabel } from "./label.js";
import { NEWEST, buildSlate } from "./sample.js";

const SLATES = 5; // places for drawings beside a label, the last one for “and more”
const GROUPS = 48; // labels shown at first
const FILTER_FROM = 12; // labels from which on a filter is worth its place

let filter = "";
let groupsShown = GROUPS;

/** Show the gallery.
 * @param {Stats} stats
 * @param {Undoable} change
 */
export async function showGallery(stats, change) {
  const panel = getById("gallery");
  if (!stats.samples_total) {
    panel.replaceChildren(makeElement("p", { class: "empty" }, say("galleryEmpty")));
    return;
  }
  /** @type {SamplePage} */
  const { samples } = await get("/page/samples", { page_size: NEWEST });
  const groups = makeElement("div", { class: "groups" });
  const fill = () => fillGroups(groups, stats, samples, change);
  fill();
  replaceKeepingFocus(panel, ...(stats.labels.length >= FILTER_FROM ? [buildFilterBox(fill)] : []), groups);
}

/** @param {() => void} onInput */
function buildFilterBox(onInput) {
  const box = makeElement("input", {
    type: "search",
    class: "filter",
    value: filter,
    placeholder: say("filter"),
    "aria-label": say("filter"),
    oninput: () => {
      filter = box.value.trim();
      onInput();
    },
  });
  return box;
}

/**
 * @param {HTMLElement} groups
 * @param {Stats} stats
 * @param {Sample[]} samples
 * @param {Undoable} change
 */
function fillGroups(groups, stats, samples, change) {
  const labels = [...stats.labels]
    .sort((a, b) => b.newest_sample_id - a.newest_sample_id)
    .filter(({ label, canonical }) => !filter || label.includes(filter) || canonical.includes(filter));
  const showMore = () => {
    groupsShown += GROUPS;
    fillGroups(groups, stats, samples, change);
  };
  groups.replaceChildren(
    ...labels.slice(0, groupsShown).map((label) => buildGroup(label, stats, samples, change)),
    ...(labels.length > groupsShown ? [makeButton(say("more"), showMore, { class: "more" })] : []),
  );
}

/**
 * @param {LabelStats} stats  of the label
 * @param {Stats} all
 * @param {Sample[]} samples
 * @param {Undoable} change
 */
function buildGroup(stats, all, samples, change) {
  const { label, canonical, samples: total } = stats;
  const places = total > SLATES ? SLATES - 1 : SLATES;
  const own = samples.filter((sample) => sample.label === label).slice(0, places);
  const shown = own.length ? own : [{ sample_id: stats.newest_sample_id, label }];
  const forms = all.labels.filter((other) => other.canonical === label && other.label !== label);
  const facts = joinFacts(
    say("drawings", { count: total }),
    canonical !== label && say("formOf", { label: canonical }),
    forms.length > 0 && say("alsoForms", { labels: forms.map((form) => form.label).join(" ") }),
  );
  const open = () => openLabel(stats, all, change);
  const menu = say("labelMenu", { label });
  return makeElement(
    "article",
    { class: "group" },
    makeElement(
      "header",
      {},
      makeElement("h3", { class: "script" }, label),
      makeElement("p", {}, facts),
      makeButton("⋯", open, { class: "ghost-button square", title: menu, "aria-label": menu }),
    ),
    makeElement(
      "div",
      { class: "slates" },
      ...shown.map((sample) => buildSlate(sample, change)),
      total > shown.length
        && makeButton(`+${total - shown.length}`, open, {
          class: "rest",
          "aria-label": `+${total - shown.length}: ${say("showAll", { count: total })}`, // by voice, one says what one sees
        }),
    ),
  );
}
