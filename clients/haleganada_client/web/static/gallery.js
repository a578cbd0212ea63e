// What was taught, label by label, each drawing on a slate of its own: look, relabel, forget, link, unlink.

import { get, post, url } from "./api.js";
import { closeDialog, showDialog } from "./dialog.js";
import { button, byId, element } from "./dom.js";
import { moment, say } from "./words.js";

const NEWEST = 250; // drawings fetched for the overview
const SLATES = 5; // places for them beside a label, the last one for “and more”
const GROUPS = 48; // labels shown at first
const FILTER_FROM = 12; // labels from which on a filter is worth its place

let filter = "";
let shownGroups = GROUPS;

// change(run, message): carries out a change and shows the page anew.
export async function showGallery(stats, change) {
  const panel = byId("gallery");
  if (!stats.samples_total) {
    panel.replaceChildren(element("p", { class: "empty" }, say("galleryEmpty")));
    return;
  }
  const { samples } = await get("/page/samples", { page_size: NEWEST });
  const groups = element("div", { class: "groups" });
  const fill = () => fillGroups(groups, stats, samples, change);
  fill();
  const search = stats.labels.length >= FILTER_FROM && element("input", {
    type: "search", class: "filter", value: filter, placeholder: say("filter"), "aria-label": say("filter"),
    oninput: (event) => { filter = event.target.value.trim(); fill(); },
  });
  panel.replaceChildren(...[search, groups].filter(Boolean));
}

function fillGroups(groups, stats, samples, change) {
  const newestFirst = [...stats.labels].sort((a, b) => b.newest_sample_id - a.newest_sample_id);
  const wanted = newestFirst.filter(({ label, canonical }) => !filter || label.includes(filter) || canonical.includes(filter));
  const more = wanted.length > shownGroups && button(say("more"), () => { shownGroups += GROUPS; fillGroups(groups, stats, samples, change); }, { class: "more" });
  groups.replaceChildren(...[...wanted.slice(0, shownGroups).map((label) => group(label, stats, samples, change)), more].filter(Boolean));
}

function group(label, stats, samples, change) {
  const places = label.samples > SLATES ? SLATES - 1 : SLATES;
  const own = samples.filter((sample) => sample.label === label.label).slice(0, places);
  const shown = own.length ? own : [{ sample_id: label.newest_sample_id, revision: 0, label: label.label }];
  const rest = label.samples - shown.length;
  const forms = stats.labels.filter((one) => one.canonical === label.label && one.label !== label.label).map((one) => one.label);
  const facts = [say("drawings", { count: label.samples }), label.canonical !== label.label && say("formOf", { label: label.canonical }), forms.length && say("alsoForms", { labels: forms.join(" ") })];
  return element("article", { class: "group" },
    element("header", {},
      element("h3", { class: "script" }, label.label),
      element("p", {}, facts.filter(Boolean).join(" · ")),
      button("⋯", () => openLabel(label, stats, change), { class: "ghost-button square", title: say("labelMenu", { label: label.label }), "aria-label": say("labelMenu", { label: label.label }) })),
    element("div", { class: "slates" },
      shown.map((sample) => slate(sample, change)),
      rest > 0 && button(`+${rest}`, () => openLabel(label, stats, change), { class: "rest", "aria-label": say("showAll", { count: label.samples }) })));
}

function slate(sample, change) {
  const name = say("sampleName", { id: sample.sample_id, label: sample.label });
  return element("button", { type: "button", class: "mini", "aria-label": name, title: name, onclick: () => openSample(sample.sample_id, change) },
    element("img", { src: pictureOf(sample), alt: "", loading: "lazy", width: 56, height: 56 }));
}

// The revision is part of the address, since after a restore a number may name another drawing.
const pictureOf = (sample) => url(`/page/samples/${sample.sample_id}.png`, { revision: sample.revision });

// One drawing: what it was taken for, when; another label, or none.

export async function openSample(id, change) {
  const sample = await get(`/page/samples/${id}`);
  const input = element("input", { class: "script", maxlength: 64, required: true, list: "known", spellcheck: "false", "aria-label": say("label") });
  input.value = sample.label;
  const relabel = (event) => {
    event.preventDefault();
    const label = input.value;
    closeDialog();
    if (label !== sample.label) change(() => post(`/page/samples/${id}/relabel`, { label }), say("relabelled", { label }));
  };
  const forget = () => { closeDialog(); change(() => post(`/page/samples/${id}/forget`, {}), say("forgotten")); };
  showDialog(say("sampleName", { id, label: sample.label }),
    element("div", { class: "sample" },
      element("div", { class: "mini large" }, element("img", { src: pictureOf(sample), alt: sample.label, width: 160, height: 160 })),
      element("p", { class: "note" }, `${moment(sample.create_time)}. ${history(sample)}`)),
    element("form", { class: "row", onsubmit: relabel }, input, element("button", { class: "primary" }, say("relabel"))),
    element("div", { class: "row end" }, button(say("forget"), forget, { class: "danger" })));
}

function history(sample) {
  if (!sample.predicted) return say("wasUnknown");
  return sample.predicted === sample.label ? say("wasRecognised") : say("wasTakenFor", { label: sample.predicted });
}

// One label: all its drawings, and what it stands for.

async function openLabel(label, stats, change) {
  const slates = element("div", { class: "slates" });
  const more = button(say("more"), () => load(), { class: "more" });
  let token = "";
  const load = async () => {
    const page = await get("/page/samples", { label: label.label, page_size: NEWEST, page_token: token });
    slates.append(...page.samples.map((sample) => slate(sample, change)));
    token = page.next_page_token;
    more.hidden = !token;
  };
  showDialog(`${label.label} · ${say("drawings", { count: label.samples })}`, slates, more, linking(label, stats, change));
  await load();
}

function linking(label, stats, change) {
  const run = (call, message) => { closeDialog(); change(call, message); };
  if (label.canonical !== label.label) {
    const unlink = () => run(() => post("/page/unlink", { form: label.label }), say("unlinked", { label: label.label }));
    return element("div", { class: "row" }, element("p", {}, say("formOf", { label: label.canonical })), button(say("unlink"), unlink));
  }
  const others = stats.labels.filter((one) => one.label !== label.label && one.canonical === one.label);
  if (!others.length) return element("p", { class: "note" }, say("nothingToLink"));
  const select = element("select", { class: "script", "aria-label": say("standsFor") }, others.map((one) => element("option", { value: one.label }, one.label)));
  const warning = element("p", { class: "note", role: "status" });
  select.addEventListener("change", () => warnOfOtherText(warning, label.label, select));
  warnOfOtherText(warning, label.label, select);
  const link = () => run(() => post("/page/link", { form: label.label, canonical: select.value }), say("linked", { label: label.label, canonical: select.value }));
  return element("div", { class: "row wrap" }, element("p", {}, say("isFormOf", { label: label.label })), select, button(say("link"), link), warning);
}

// Before a form is linked that would then be read as other text, as ಆ for ಅ. Without an answer there is no warning.
async function warnOfOtherText(warning, form, select) {
  const canonical = select.value;
  warning.textContent = "";
  const { other_text: isOther } = await get("/page/link", { form, canonical }).catch(() => ({}));
  if (isOther && select.value === canonical) warning.textContent = say("otherText", { label: form, canonical, unlink: say("unlink") });
}
