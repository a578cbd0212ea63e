// Uploading a data set: a file or a whole folder, how to read it, how far it is.

import { formatPercent, formatSize, say } from "../i18n/words.js";
import { upload } from "../server/api.js";
import { explain } from "../server/errors.js";
import { DEFAULT_SPLIT_SHARE, MAX_LABEL_LENGTH, SPLIT_SHARE } from "../server/limits.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { goTo, nameView } from "../ui/navigation.js";
import { buildMeter, buildProblem } from "../ui/parts.js";
import { buildFolderNames } from "./folder_names.js";
import { zipFolder } from "./zip.js";

/** @typedef {import("../i18n/words.js").Word} Word */

const ENDINGS = /\.(zip|npz|jsonl)$/i;
const MOST_SEED = 999_999_999;

/** Build the form.
 * @param {AbortSignal} life  an upload stops when it is over
 */
export function buildUploadForm(life) {
  const name = makeElement("input", {
    id: "dataset-name",
    maxlength: MAX_LABEL_LENGTH,
    autocomplete: "off",
    spellcheck: "false",
  });
  const summary = makeElement("p", { class: "note", id: "chosen-file" }, say("uploadNote"));
  const outcome = makeElement("div");
  const submit = makeElement("button", { class: "primary", id: "upload", disabled: true }, say("upload"));
  const options = buildReadingOptions();
  /** @type {File[]} */
  let files = [];

  const choose = (/** @type {File[]} */ chosen, /** @type {boolean} */ isFolder) => {
    files = chosen;
    if (!files.length) return;
    const title = isFolder ? getFolder(files[0]) : files[0].name;
    const bytes = formatSize(files.reduce((sum, file) => sum + file.size, 0));
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
      goTo(nameView("dataset", dataset.dataset_id), say("uploaded", { name: name.value }));
    } catch (error) {
      outcome.replaceChildren(...(error.name === "AbortError" ? [] : [buildProblem(explain(error))]));
      submit.disabled = false;
    }
    form.classList.remove("busy");
  };

  const form = makeElement(
    "form",
    { class: "upload stack", onsubmit: run },
    makeElement("h3", {}, say("newDataset")),
    summary,
    makeElement(
      "div",
      { class: "row wrap" },
      buildFileButton("chooseFile", { id: "dataset-file", accept: ".zip,.npz,.jsonl" }, (chosen) =>
        choose(chosen, false),
      ),
      buildFileButton("chooseFolder", { id: "dataset-folder", webkitdirectory: true, multiple: true }, (chosen) =>
        choose(chosen, true),
      ),
      makeElement("label", { class: "field grow" }, say("nameField"), name),
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
const getFolder = (file) => file.webkitRelativePath.split("/")[0];

/**
 * @param {Word} word
 * @param {import("../ui/dom.js").Attributes} attributes
 * @param {(files: File[]) => void} onChoose
 */
function buildFileButton(word, attributes, onChoose) {
  const input = makeElement("input", {
    type: "file",
    ...attributes,
    onchange: () => {
      onChoose([...(input.files ?? [])]);
    },
  });
  return makeElement("label", { class: "file button" }, say(word), input);
}

/** Send files and show how far they are. The answer comes when the server has read everything, which takes longer than
 * sending it.
 * @param {File[]} files
 * @param {Record<string, string>} parameters
 * @param {HTMLElement} outcome
 * @param {AbortController} stop
 */
async function sendFiles(files, parameters, outcome, stop) {
  const text = makeElement("p", { class: "note", role: "status" }, say("packing"));
  const bar = buildMeter(0, 0, say("upload"));
  const cancel = makeButton(say("cancel"), () => stop.abort());
  outcome.replaceChildren(makeElement("div", { class: "row" }, bar, cancel), text);
  const isSingle = files.length === 1 && ENDINGS.test(files[0].name);
  const onPack = (/** @type {number} */ done) => {
    bar.max = files.length;
    bar.value = done;
  };
  const onProgress = (/** @type {number} */ sent, /** @type {number} */ total) => {
    if (sent < total) {
      bar.max = total;
      bar.value = sent;
      text.textContent = say("sending", { percent: formatPercent(sent / total) });
    } else {
      bar.removeAttribute("value");
      text.textContent = say("reading");
    }
  };
  const file = isSingle ? files[0] : await zipFolder(files, onPack, stop.signal);
  const fileName = isSingle ? files[0].name : `${getFolder(files[0])}.zip`;
  const options = { parameters: { file_name: fileName, ...parameters }, signal: stop.signal, onProgress };
  return upload("/page/datasets", file, options);
}

/** Build inputs for how the server shall read a data set; values() returns those that were filled in. */
function buildReadingOptions() {
  /** @type {Record<string, HTMLInputElement | HTMLSelectElement>} */
  const inputs = {
    split: buildMenu("split", { auto: "splitAuto", stratified: "splitStratified", writer: "splitWriter" }),
    validation_share: buildNumberInput("validation-share", SPLIT_SHARE.max, 0.01, String(DEFAULT_SPLIT_SHARE)),
    test_share: buildNumberInput("test-share", SPLIT_SHARE.max, 0.01, String(DEFAULT_SPLIT_SHARE)),
    seed: buildNumberInput("split-seed", MOST_SEED, 1, "0"),
    orientation: buildMenu("orientation", {
      auto: "orientationAuto",
      upright: "orientationUpright",
      transposed: "orientationTransposed",
    }),
    folder_names: buildFolderNames("folder-names"),
  };
  const field = (/** @type {Word} */ word, /** @type {string} */ name) =>
    makeElement("label", { class: "field" }, say(word), inputs[name]);
  const node = makeElement(
    "details",
    {},
    makeElement("summary", {}, say("moreSettings")),
    makeElement(
      "div",
      { class: "fields" },
      field("split", "split"),
      field("validationShare", "validation_share"),
      field("testShare", "test_share"),
      field("seed", "seed"),
      field("orientation", "orientation"),
      field("folderNames", "folder_names"),
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
function buildMenu(id, options) {
  const items = Object.entries(options).map(([value, word]) => makeElement("option", { value }, say(word)));
  return makeElement("select", { id }, items);
}

/**
 * @param {string} id
 * @param {number} max
 * @param {number} step
 * @param {string} placeholder  the default
 */
const buildNumberInput = (id, max, step, placeholder) =>
  makeElement("input", { id, type: "number", min: 0, max, step, placeholder });
