// One label: all its drawings, and what it stands for.

import { say } from "../i18n/words.js";
import { get, post } from "../server/api.js";
import { closeDialog, showDialog } from "../ui/dialog.js";
import { button, element } from "../ui/dom.js";
import { joinFacts } from "../ui/parts.js";
import { NEWEST, slate } from "./sample.js";

/** Show a label in a dialog.
 * @param {LabelStats} stats  of the label
 * @param {Stats} all
 * @param {Change} change
 */
export async function openLabel({ label, canonical, samples }, all, change) {
  const slates = element("div", { class: "slates" });
  let token = "";
  const load = async () => {
    /** @type {SamplePage} */
    const page = await get("/page/samples", { label, page_size: NEWEST, page_token: token });
    slates.append(...page.samples.map((sample) => slate(sample, change)));
    token = page.next_page_token;
    more.hidden = !token;
  };
  const more = button(say("more"), load, { class: "more" });
  const changeAndClose = (/** @type {() => Promise<unknown>} */ run, /** @type {string} */ message) => {
    closeDialog();
    change(run, message);
  };
  const links =
    canonical === label ? linkForm(label, all, changeAndClose) : unlinkForm(label, canonical, changeAndClose);
  showDialog(joinFacts(label, say("drawings", { count: samples })), slates, more, links);
  await load();
}

/**
 * @param {string} label
 * @param {string} canonical
 * @param {(run: () => Promise<unknown>, message: string) => void} change
 */
function unlinkForm(label, canonical, change) {
  const unlink = () => change(() => post("/page/unlink", { form: label }), say("unlinked", { label }));
  const text = element("p", {}, say("formOf", { label: canonical }));
  return element("div", { class: "row" }, text, button(say("unlink"), unlink));
}

/**
 * @param {string} label
 * @param {Stats} all
 * @param {(run: () => Promise<unknown>, message: string) => void} change
 */
function linkForm(label, all, change) {
  const letters = all.labels.filter((other) => other.label !== label && other.canonical === other.label);
  if (!letters.length) return element("p", { class: "note" }, say("nothingToLink"));
  const warn = () => {
    warnOfOtherText(warning, label, select);
  };
  const select = element(
    "select",
    { class: "script", "aria-label": say("standsFor"), onchange: warn },
    letters.map((other) => element("option", { value: other.label }, other.label)),
  );
  const warning = element("p", { class: "note", role: "status" });
  warn();
  const link = () => {
    const canonical = select.value;
    change(() => post("/page/link", { form: label, canonical }), say("linked", { label, canonical }));
  };
  const text = element("p", {}, say("isFormOf", { label }));
  return element("div", { class: "row wrap" }, text, select, button(say("link"), link), warning);
}

/** Warn before a form is linked that would then be read as other text, as ಆ for ಅ. Without an answer there is no warning.
 * @param {HTMLElement} warning
 * @param {string} form
 * @param {HTMLSelectElement} select
 */
async function warnOfOtherText(warning, form, select) {
  const canonical = select.value;
  warning.textContent = "";
  const { other_text: isOther } = await get("/page/link", { form, canonical }).catch(() => ({}));
  if (!isOther || select.value !== canonical) return;
  warning.textContent = say("otherText", { label: form, canonical, unlink: say("unlink") });
}
