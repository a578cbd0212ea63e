// Uploading a data set: a file or a whole folder, how to read it, how far it is.

import { percent, say, size } from "../i18n/words.js";
import { upload } from "../server/api.js";
import { explain } from "../server/errors.js";
import { DEFAULT_SPLIT_SHARE, MAX_LABEL_LENGTH, SPLIT_SHARE } from "../server/limits.js";
import { button, element } from "../ui/dom.js";
import { goTo, viewOf } from "../ui/navigation.js";
import { meter, problem } from "../ui/parts.js";
import { zipFolder } from "./zip.js";

/** @typedef {import("../i18n/words.js").Word} Word */

const ENDINGS = /\.(zip|npz|jsonl)$/i;
const MOST_SEED = 999_999_999;

/** Build the form.
 * @param {AbortSignal} life  an upload stops when it is over
 */
export function uploadForm(life) {
  const name = element("input", {
    id: "dataset-name",
    maxlength: MAX_LABEL_LENGTH,
    autocomplete: "off",
    spellcheck: "false",
  });
  const summary = element("p", { class: "note", id: "chosen-file" }, say("uploadNote"));
  const outcome = element("div");
  const submit = element("button", { class: "primary", id: "upload", disabled: true }, say("upload"));
  const options = readingOptions();
  /** @type {File[]} */
  let files = [];

  const choose = (/** @type {File[]} */ chosen, /** @type {boolean} */ isFolder) => {
    files = chosen;
    if (!files.length) return;
    const title = isFolder ? folderOf(files[0]) : files[0].name;
    const bytes = size(files.reduce((sum, file) => sum + file.size, 0));
    summary.textContent = isFolder
      ? say("chosenFolder", { name: title, count: files.length, size: bytes })
      : `${title} · ${bytes}`;
    name.value = title.replace(ENDINGS, "");
    submit.disabled = false;
  };

  const run = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const stop = new AbortController();
    life.addEventListener("abort", () => stop.abort());
    form.classList.add("busy");
    submit.disabled = true;
    try {
      /** @type {Dataset} */
      const dataset = await sendFiles(files, { name: name.value, ...options.values() }, outcome, stop);
      goTo(viewOf("dataset", dataset.dataset_id), say("uploaded", { name: name.value }));
    } catch (error) {
      outcome.replaceChildren(...(error.name === "AbortError" ? [] : [problem(explain(error))]));
      submit.disabled = false;
    }
    form.classList.remove("busy");
  };

  const form = element(
    "form",
    { class: "upload stack", onsubmit: run },
    element("h3", {}, say("newDataset")),
    summary,
    element(
      "div",
      { class: "row wrap" },
      fileButton("chooseFile", { id: "dataset-file", accept: ".zip,.npz,.jsonl" }, (chosen) => choose(chosen, false)),
      fileButton("chooseFolder", { id: "dataset-folder", webkitdirectory: true, multiple: true }, (chosen) =>
        choose(chosen, true),
      ),
      element("label", { class: "field grow" }, say("nameField"), name),
      submit,
    ),
    options.node,
    outcome,
  );
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    const dropped = [...(event.dataTransfer?.files ?? [])];
    choose(dropped.filter((file) => ENDINGS.test(file.name)).slice(0, 1), false);
  });
  return form;
}

/** @param {File} file */
const folderOf = (file) => file.webkitRelativePath.split("/")[0];

/**
 * @param {Word} word
 * @param {import("../ui/dom.js").Attributes} attributes
 * @param {(files: File[]) => void} onChoose
 */
function fileButton(word, attributes, onChoose) {
  const input = element("input", {
    type: "file",
    ...attributes,
    onchange: () => {
      onChoose([...(input.files ?? [])]);
    },
  });
  return element("label", { class: "file button" }, say(word), input);
}

/** Send files and show how far they are. The answer comes when the server has read everything, which takes longer than
 * sending it.
 * @param {File[]} files
 * @param {Record<string, string>} parameters
 * @param {HTMLElement} outcome
 * @param {AbortController} stop
 */
async function sendFiles(files, parameters, outcome, stop) {
  const text = element("p", { class: "note", role: "status" }, say("packing"));
  const bar = meter(0, 0, say("upload"));
  const cancel = button(say("cancel"), () => stop.abort());
  outcome.replaceChildren(element("div", { class: "row" }, bar, cancel), text);
  const isSingle = files.length === 1 && ENDINGS.test(files[0].name);
  const onPack = (/** @type {number} */ done) => {
    bar.max = files.length;
    bar.value = done;
  };
  const onProgress = (/** @type {number} */ sent, /** @type {number} */ total) => {
    if (sent < total) {
      bar.max = total;
      bar.value = sent;
      text.textContent = say("sending", { percent: percent(sent / total) });
    } else {
      bar.removeAttribute("value");
      text.textContent = say("reading");
    }
  };
  const file = isSingle ? files[0] : await zipFolder(files, onPack, stop.signal);
  const fileName = isSingle ? files[0].name : `${folderOf(files[0])}.zip`;
  const options = { parameters: { file_name: fileName, ...parameters }, signal: stop.signal, onProgress };
  return upload("/page/datasets", file, options);
}

/** Build inputs for how the server shall read a data set; values() returns those that were filled in. */
function readingOptions() {
  /** @type {Record<string, HTMLInputElement | HTMLSelectElement>} */
  const inputs = {
    split: menu("split", { auto: "splitAuto", stratified: "splitStratified", writer: "splitWriter" }),
    validation_share: numberInput("validation-share", SPLIT_SHARE.max, 0.01, String(DEFAULT_SPLIT_SHARE)),
    test_share: numberInput("test-share", SPLIT_SHARE.max, 0.01, String(DEFAULT_SPLIT_SHARE)),
    seed: numberInput("split-seed", MOST_SEED, 1, "0"),
    orientation: menu("orientation", {
      auto: "orientationAuto",
      upright: "orientationUpright",
      transposed: "orientationTransposed",
    }),
  };
  const field = (/** @type {Word} */ word, /** @type {string} */ name) =>
    element("label", { class: "field" }, say(word), inputs[name]);
  const node = element(
    "details",
    {},
    element("summary", {}, say("moreSettings")),
    element(
      "div",
      { class: "fields" },
      field("split", "split"),
      field("validationShare", "validation_share"),
      field("testShare", "test_share"),
      field("seed", "seed"),
      field("orientation", "orientation"),
    ),
  );
  const values = () => {
    const all = Object.entries(inputs).map(([name, input]) => [name, input.value]);
    return Object.fromEntries(all.filter(([, value]) => value !== ""));
  };
  return { node, values };
}

/**
 * @param {string} id
 * @param {Record<string, Word>} options
 */
function menu(id, options) {
  const items = Object.entries(options).map(([value, word]) => element("option", { value }, say(word)));
  return element("select", { id }, items);
}

/**
 * @param {string} id
 * @param {number} max
 * @param {number} step
 * @param {string} placeholder  the default
 */
const numberInput = (id, max, step, placeholder) =>
  element("input", { id, type: "number", min: 0, max, step, placeholder });
