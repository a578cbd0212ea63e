// How many letters the script has in all, as the reader says. Who has taught half of an alphabet asks for other letters as
// often as for these, who has taught all of it does not, and only the reader knows. Kept in this browser for each workspace.

import { say } from "../i18n/words.js";
import { getWorkspace } from "../server/api.js";
import { SCRIPT_LABELS } from "../server/limits.js";
import { makeElement } from "../ui/dom.js";
import { settings } from "../ui/storage.js";

const KEPT = "script sizes";

/** Return how many letters the script of this workspace has, 0 if nobody has said so. */
export const getScriptSize = () => readSizes()[getWorkspace()] ?? 0;

/** Build the field to say it in.
 * @param {number} taught  letters that have been taught
 * @param {() => unknown} onChange
 */
export function buildScriptSize(taught, onChange) {
  const input = /** @type {HTMLInputElement} */ (
    makeElement("input", {
      id: "script-size",
      type: "number",
      inputmode: "numeric",
      min: 1,
      max: SCRIPT_LABELS.max,
      step: 1,
      value: getScriptSize() || "",
      placeholder: "?",
      "aria-describedby": "script-size-note",
    })
  );
  // Kept with each digit, so that nothing typed is lost when the panel is filled anew.
  input.addEventListener("input", () => {
    if (!input.checkValidity()) return;
    keepSize(Number(input.value));
    onChange();
  });
  input.addEventListener("change", () => input.reportValidity());
  return makeElement(
    "div",
    { class: "script-size" },
    makeElement("label", {}, say("scriptSize"), input),
    makeElement("p", { class: "note", id: "script-size-note" }, say("scriptSizeNote", { taught })),
  );
}

/** @param {number} size  0: not known */
function keepSize(size) {
  const sizes = readSizes();
  if (size) sizes[getWorkspace()] = size;
  else delete sizes[getWorkspace()];
  settings.set(KEPT, JSON.stringify(sizes));
}

/** @returns {Record<string, number>} */
function readSizes() {
  try {
    return Object.assign(Object.create(null), JSON.parse(settings.get(KEPT) ?? "{}"));
  } catch {
    return Object.create(null); // what is there is not ours
  }
}
