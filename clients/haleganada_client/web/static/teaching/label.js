// One label: all its drawings, and what it stands for.

import { say } from "../i18n/words.js";
import { get } from "../server/api.js";
import { postIfAsShown } from "../server/guard.js";
import { closeDialog, showDialog } from "../ui/dialog.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { joinFacts } from "../ui/parts.js";
import { warnOfOtherText } from "./other_text.js";
import { NEWEST, buildSlate } from "./sample.js";

/** @typedef {(path: string, body: object, message: string) => void} Relink */

/** Show a label in a dialog.
 * @param {LabelStats} stats  of the label
 * @param {Stats} all
 * @param {Undoable} change
 */
export async function openLabel({ label, canonical, samples }, all, change) {
  const slates = makeElement("div", { class: "slates" });
  let token = "";
  const load = async () => {
    /** @type {SamplePage} */
    const page = await get("/page/samples", { label, page_size: NEWEST, page_token: token });
    slates.append(...page.samples.map((sample) => buildSlate(sample, change)));
    token = page.next_page_token;
    more.hidden = !token;
  };
  const more = makeButton(say("more"), load, { class: "more" });
  /** @type {Relink} */
  const relink = (path, body, message) => {
    closeDialog();
    change(() => postIfAsShown(path, body, () => isStillFormOf(label, canonical)), message);
  };
  const links = canonical === label ? buildLinkForm(label, all, relink) : buildUnlinkForm(label, canonical, relink);
  showDialog(joinFacts(label, say("drawings", { count: samples })), slates, more, links);
  await load();
}

/** Ask the server whether a label still stands for what it stood for.
 * @param {string} label
 * @param {string} canonical
 */
async function isStillFormOf(label, canonical) {
  /** @type {Stats} */
  const { labels } = await get("/page/stats");
  return labels.some((one) => one.label === label && one.canonical === canonical);
}

/**
 * @param {string} label
 * @param {string} canonical
 * @param {Relink} relink
 */
function buildUnlinkForm(label, canonical, relink) {
  const unlink = () => relink("/page/unlink", { form: label }, say("unlinked", { label }));
  const text = makeElement("p", {}, say("formOf", { label: canonical }));
  return makeElement("div", { class: "row" }, text, makeButton(say("unlink"), unlink));
}

/**
 * @param {string} label
 * @param {Stats} all
 * @param {Relink} relink
 */
function buildLinkForm(label, all, relink) {
  const letters = all.labels.filter((other) => other.label !== label && other.canonical === other.label);
  if (!letters.length) return makeElement("p", { class: "note" }, say("nothingToLink"));
  const warn = () => {
    warnOfOtherText(warning, () => ({ form: label, canonical: select.value }));
  };
  const select = makeElement(
    "select",
    { class: "script", "aria-label": say("standsFor"), onchange: warn },
    letters.map((other) => makeElement("option", { value: other.label }, other.label)),
  );
  const warning = makeElement("p", { class: "note", role: "status" });
  warn();
  const link = () => {
    const canonical = select.value;
    relink("/page/link", { form: label, canonical }, say("linked", { label, canonical }));
  };
  const text = makeElement("p", {}, say("isFormOf", { label }));
  return makeElement("div", { class: "row wrap" }, text, select, makeButton(say("link"), link), warning);
}
