// What was taught, by label, with pictures; relabel, forget, link, unlink.

import { get, post, url } from "./api.js";
import { ask, byId, element } from "./dom.js";
import { say } from "./words.js";

const SHOWN_FIRST = 60;

export async function showGallery(stats, changed) {
  const panel = byId("gallery");
  if (!stats.samples_total) {
    panel.replaceChildren(element("p", { class: "empty" }, say("galleryEmpty")));
    return;
  }
  const page = await get("/page/samples");
  const groups = new Map(stats.labels.map((label) => [label.label, { label, samples: [] }]));
  fill(groups, page.samples);
  render(panel, groups, page, changed);
}

function fill(groups, samples) {
  for (const sample of samples) groups.get(sample.label)?.samples.push(sample);
}

function render(panel, groups, page, changed) {
  const rows = [...groups.values()].filter((group) => group.samples.length).map((group) => row(group, changed));
  const more = page.next_page_token && element("button", {
    type: "button",
    onclick: async () => {
      const next = await get("/page/samples", { page_token: page.next_page_token });
      fill(groups, next.samples);
      render(panel, groups, next, changed);
    },
  }, say("more", { count: SHOWN_FIRST }));
  panel.replaceChildren(...rows, ...(more ? [more] : []));
}

function row({ label, samples }, changed) {
  const isForm = label.canonical !== label.label;
  const link = element("button", { type: "button", class: "quiet", onclick: () => relink(label, isForm, changed) }, say(isForm ? "unlink" : "link"));
  const detail = isForm ? say("formOf", { label: label.canonical }) : say("samplesOf", { count: label.samples });
  const header = element("header", {}, element("span", { class: "letter" }, label.label), element("small", {}, detail), link);
  return element("div", { class: "group" }, header, element("div", { class: "shots" }, ...samples.map((sample) => shot(sample, changed))));
}

function shot(sample, changed) {
  const picture = url(`/page/samples/${sample.sample_id}.png`);
  const name = say("sampleName", { id: sample.sample_id, label: sample.label });
  return element(
    "button",
    { type: "button", class: "shot", "aria-label": name, title: name, onclick: () => edit(sample, picture, changed) },
    element("img", { src: picture, alt: "", loading: "lazy" }),
  );
}

async function edit(sample, picture, changed) {
  const label = await ask(say("relabelQuestion"), { value: sample.label, picture });
  if (label === null || label === sample.label) return;
  await changed(() => (label
    ? post(`/page/samples/${sample.sample_id}/relabel`, { label })
    : post(`/page/samples/${sample.sample_id}/forget`, {})), say(label ? "relabelled" : "forgotten"));
}

async function relink(label, isForm, changed) {
  if (isForm) {
    await changed(() => post("/page/unlink", { form: label.label }), say("unlinked"));
    return;
  }
  const canonical = await ask(say("linkQuestion", { label: label.label }));
  if (canonical) await changed(() => post("/page/link", { form: label.label, canonical }), say("linked"));
}
