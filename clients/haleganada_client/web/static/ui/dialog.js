// One modal dialog for everything that is asked or shown apart from the page. Escape and a click beside it close it.

import { say } from "../i18n/words.js";
import { MAX_LABEL_LENGTH } from "../server/limits.js";
import { getById, makeButton, makeElement } from "./dom.js";

/** @type {unknown} */
let result = null; // what the open dialog resolves to

/** Show a dialog. Resolves when it closes, to what closeDialog was given, else to null.
 * @param {string} title
 * @param {...Node} nodes
 * @returns {Promise<any>}
 */
export function showDialog(title, ...nodes) {
  const dialog = getById("dialog");
  if (dialog.open) dialog.close();
  const heading = makeElement("h2", { id: "dialog-title" }, title);
  const close = makeButton("×", () => dialog.close(), {
    class: "ghost-button square shut",
    "aria-label": say("close"),
  });
  dialog.replaceChildren(makeElement("header", {}, heading, close), ...nodes);
  result = null;
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close();
  };
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(result), { once: true }));
}

/** Close the dialog.
 * @param {unknown} value  what it resolves to
 */
export function closeDialog(value = null) {
  result = value;
  getById("dialog").close();
}

/**
 * @typedef {object} Question
 * @property {string} text
 * @property {string} confirm  the text of the button
 * @property {boolean} [danger]
 * @property {(answer: string) => string} [check]  returns what is wrong with an answer, "" if nothing is
 */

/** Ask for a text that passes a check. Resolves to null if the reader cancels.
 * @param {string} title
 * @param {Question} question
 * @returns {Promise<string | null>}
 */
export function ask(title, { text, confirm, danger = false, check = () => "" }) {
  const problem = makeElement("p", { id: "dialog-problem", class: "status bad", role: "alert" });
  const input = makeElement("input", {
    id: "dialog-input",
    maxlength: MAX_LABEL_LENGTH,
    spellcheck: "false",
    autocomplete: "off",
    required: true,
    "aria-label": text,
    "aria-describedby": problem.id,
  });
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const answer = input.value.trim();
    problem.textContent = check(answer);
    if (!problem.textContent) closeDialog(answer);
    else input.select();
  };
  const buttons = [
    makeButton(say("cancel"), () => closeDialog()),
    makeElement("button", { class: danger ? "danger" : "primary" }, confirm),
  ];
  const form = makeElement(
    "form",
    { class: "stack", onsubmit: submit },
    makeElement("p", {}, text),
    input,
    problem,
    makeElement("div", { class: "row end" }, buttons),
  );
  const answer = showDialog(title, form);
  input.focus();
  return answer;
}

/** Ask whether to do what cannot be undone but loses little. Resolves to true, or to null if the reader cancels.
 * @param {string} title
 * @param {string} text
 * @param {string} confirm  the text of the button
 * @returns {Promise<true | null>}
 */
export function askWhether(title, text, confirm) {
  const buttons = [
    makeButton(say("cancel"), () => closeDialog()),
    makeButton(confirm, () => closeDialog(true), { class: "danger", id: "dialog-confirm" }),
  ];
  return showDialog(title, makeElement("p", {}, text), makeElement("div", { class: "row end" }, buttons));
}

/** Ask to type a name before doing what cannot be undone. Resolves to it, or to null if the reader cancels.
 * @param {string} title
 * @param {string} name
 * @param {string} text
 * @param {string} confirm  the text of the button
 */
export async function askForName(title, name, text, confirm) {
  const check = (/** @type {string} */ answer) =>
    answer.normalize("NFC") === name.normalize("NFC") ? "" : say("wrongName", { name });
  return (await ask(title, { text, confirm, danger: true, check })) && name;
}
