// The desk: where documents are dropped or photographed, how far each is, and what was read lately.

import { say } from "../i18n/words.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { showError } from "../ui/status.js";
import { buildList } from "./list.js";
import { buildOptions } from "./options.js";
import { addToQueue, queue, queueList } from "./queue.js";

const TYPES = "image/*,application/pdf,.pdf,.tif,.tiff";

/** @type {ShowView} */
export async function showDesk(view, _, life) {
  const { list, refresh } = buildList(life);
  const options = await buildOptions();
  const add = (/** @type {File[]} */ files) => addToQueue(files, options.values());
  view.replaceChildren(buildDropZone(add), options.node, queueList, list);
  await refresh();
  queue.addEventListener("read", () => refresh().catch(showError), { signal: life });
  takePasted(add, life);
}

/** @param {(files: File[]) => void} add */
function buildDropZone(add) {
  const zone = makeElement(
    "div",
    { class: "drop-zone" },
    makeElement("p", { class: "call" }, say("dropDocuments")),
    makeElement(
      "div",
      { class: "row wrap center" },
      buildFileButton("chooseDocuments", { id: "documents", accept: TYPES, multiple: true }, add, "primary"),
      buildFileButton("takePhoto", { id: "photo", accept: "image/*", capture: "environment" }, add),
    ),
    makeElement("p", { class: "note" }, say("dropNote")),
  );
  const mark = (/** @type {boolean} */ isOver) => zone.classList.toggle("over", isOver);
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    mark(true);
  });
  zone.addEventListener("dragleave", () => mark(false));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    add([...(event.dataTransfer?.files ?? [])]);
  });
  return zone;
}

/** Build a button that opens the browser's choice of files. The input stays reachable by its button alone.
 * @param {import("../i18n/words.js").Word} word
 * @param {import("../ui/dom.js").Attributes} attributes
 * @param {(files: File[]) => void} add
 * @param {string} look
 */
function buildFileButton(word, attributes, add, look = "") {
  const input = makeElement("input", {
    type: "file",
    class: "unseen",
    tabindex: "-1",
    "aria-label": say(word),
    ...attributes,
    onchange: () => {
      add([...(input.files ?? [])]);
      input.value = ""; // the same file can be chosen again
    },
  });
  return makeElement(
    "span",
    {},
    input,
    makeButton(say(word), () => input.click(), { class: look }),
  );
}

/** Take pictures that are pasted anywhere on the page.
 * @param {(files: File[]) => void} add
 * @param {AbortSignal} life
 */
function takePasted(add, life) {
  const take = (/** @type {ClipboardEvent} */ event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) add(files);
  };
  document.addEventListener("paste", take, { signal: life });
}
