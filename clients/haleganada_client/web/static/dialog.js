// One modal dialog for everything that is asked or shown apart from the page. Escape and a click beside it close it.

import { byId, button, element } from "./dom.js";
import { say } from "./words.js";

// Show a title and nodes. Closing it resolves to what was given to `close`, else null.
export function showDialog(title, ...nodes) {
  const dialog = byId("dialog");
  if (dialog.open) dialog.close();
  const heading = element("h2", { id: "dialog-title" }, title);
  const shut = button("×", () => dialog.close(), { class: "ghost-button square shut", "aria-label": say("close") });
  dialog.replaceChildren(element("header", {}, heading, shut), ...nodes);
  dialog.returnValue = "";
  dialog.result = null;
  dialog.onclick = (event) => { if (event.target === dialog) dialog.close(); };
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.result), { once: true }));
}

export function closeDialog(result = null) {
  byId("dialog").result = result;
  byId("dialog").close();
}

// Ask for a text; null when cancelled. check(text): what is wrong with it, "" if nothing; the dialog stays until then.
export function ask(title, { text, confirm, danger = false, check = () => "" }) {
  const wrong = element("p", { id: "dialog-wrong", class: "status bad", role: "alert" });
  const input = element("input", { id: "dialog-input", maxlength: 64, spellcheck: "false", autocomplete: "off", required: true, "aria-label": text, "aria-describedby": wrong.id });
  const submit = (event) => {
    event.preventDefault();
    const answer = input.value.trim();
    wrong.textContent = check(answer);
    if (!wrong.textContent) closeDialog(answer);
    else input.select();
  };
  const form = element(
    "form", { class: "stack", onsubmit: submit }, element("p", {}, text), input, wrong,
    element("div", { class: "row end" }, button(say("cancel"), () => closeDialog()), element("button", { class: danger ? "danger" : "primary" }, confirm)),
  );
  const answer = showDialog(title, form);
  input.focus();
  return answer;
}

// Ask whether to go on with what cannot be undone, but loses little: true, or null when cancelled.
export function askWhether(title, text, confirm) {
  const buttons = [button(say("cancel"), () => closeDialog()), button(confirm, () => closeDialog(true), { class: "danger", id: "dialog-confirm" })];
  return showDialog(title, element("p", {}, text), element("div", { class: "row end" }, buttons));
}

// Ask for a name before what cannot be undone is done: resolves to it, or to null when cancelled.
export function askForName(title, name, text, confirm) {
  const check = (typed) => (typed.normalize("NFC") === name.normalize("NFC") ? "" : say("wrongName", { name }));
  return ask(title, { text, confirm, danger: true, check }).then((typed) => typed && name);
}
