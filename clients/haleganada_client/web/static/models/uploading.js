// Sending a data set: a file or a whole folder, how to read it, how far it is.

import { upload } from "../api.js";
import { button, element } from "../dom.js";
import { explain } from "../refusals.js";
import { percent, say, size } from "../words.js";
import { goTo, meter, place, problem } from "./parts.js";
import { zipped } from "./zip.js";

const ENDINGS = /\.(zip|npz|jsonl)$/i;

export function uploadForm(life) {
  const name = element("input", { id: "dataset-name", maxlength: 64, autocomplete: "off", spellcheck: "false" });
  const chosen = element("p", { class: "note", id: "chosen-file" }, say("uploadNote"));
  const outcome = element("div");
  const send = element("button", { class: "primary", id: "upload", disabled: true }, say("upload"));
  const options = readingOptions();
  let files = [];

  const choose = (list, folder) => {
    files = [...list];
    if (!files.length) return;
    const first = folder ? files[0].webkitRelativePath.split("/")[0] : files[0].name;
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    chosen.textContent = folder ? say("chosenFolder", { name: first, count: files.length, size: size(bytes) }) : `${first} · ${size(bytes)}`;
    name.value = first.replace(ENDINGS, "");
    send.disabled = false;
  };

  const run = async (event) => {
    event.preventDefault();
    const stop = new AbortController();
    life.addEventListener("abort", () => stop.abort());
    form.classList.add("busy");
    send.disabled = true;
    try {
      const { dataset_id: id } = await sendFiles(files, { name: name.value, ...options.values() }, outcome, stop);
      goTo(place("dataset", id), say("uploaded", { name: name.value }));
    } catch (error) {
      outcome.replaceChildren(...(error.name === "AbortError" ? [] : [problem(whyOf(error))]));
      send.disabled = false;
    }
    form.classList.remove("busy");
  };

  const form = element("form", { class: "upload stack", onsubmit: run },
    element("h3", {}, say("newDataset")), chosen,
    element("div", { class: "row wrap" }, chooser("chooseFile", "dataset-file", { accept: ".zip,.npz,.jsonl" }, (list) => choose(list, false)),
      chooser("chooseFolder", "dataset-folder", { webkitdirectory: true, multiple: true }, (list) => choose(list, true)),
      element("label", { class: "field grow" }, say("nameField"), name), send),
    options.node, outcome);
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    choose([...event.dataTransfer.files].filter((file) => ENDINGS.test(file.name)).slice(0, 1), false);
  });
  return form;
}

// A file that is refused is the one that was chosen: nobody reads what the request calls it.
const whyOf = (error) => (error.field === "file" ? explain(error) : error.message) || say("noAnswer");

function chooser(word, id, attributes, onChoose) {
  const input = element("input", { type: "file", id, ...attributes, onchange: () => onChoose(input.files) });
  return element("label", { class: "file button" }, say(word), input);
}

// The answer comes when the server has read everything, which takes longer than sending it.
async function sendFiles(files, parameters, outcome, stop) {
  const words = element("p", { class: "note", role: "status" }, say("packing"));
  const bar = meter(0, 0, say("upload"));
  outcome.replaceChildren(element("div", { class: "row" }, bar, button(say("cancel"), () => stop.abort())), words);
  const single = files.length === 1 && ENDINGS.test(files[0].name);
  const file = single ? files[0] : await zipped(files, (done) => { bar.max = files.length; bar.value = done; }, stop.signal);
  const name = single ? files[0].name : `${files[0].webkitRelativePath.split("/")[0]}.zip`;
  const onProgress = (sent, total) => {
    if (sent < total) {
      bar.max = total;
      bar.value = sent;
      words.textContent = say("sending", { percent: percent(sent / total) });
    } else {
      bar.removeAttribute("value");
      words.textContent = say("reading");
    }
  };
  return upload("/page/datasets", file, { parameters: { file_name: name, ...parameters }, signal: stop.signal, onProgress });
}

function readingOptions() {
  const select = (id, words) => element("select", { id }, Object.entries(words).map(([value, word]) => element("option", { value }, say(word))));
  const number = (id, most, step) => element("input", { id, type: "number", min: 0, max: most, step, placeholder: most === 0.5 ? "0.15" : "0" });
  const split = select("split", { auto: "splitAuto", stratified: "splitStratified", writer: "splitWriter" });
  const orientation = select("orientation", { auto: "orientationAuto", upright: "orientationUpright", transposed: "orientationTransposed" });
  const [validation, test, seed] = [number("validation-share", 0.5, 0.01), number("test-share", 0.5, 0.01), number("split-seed", 999999999, 1)];
  const field = (word, input) => element("label", { class: "field" }, say(word), input);
  const node = element("details", {}, element("summary", {}, say("moreSettings")), element("div", { class: "fields" },
    field("split", split), field("validationShare", validation), field("testShare", test), field("seed", seed), field("orientation", orientation)));
  const given = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
  return { node, values: () => given({ split: split.value, orientation: orientation.value, validation_share: validation.value, test_share: test.value, seed: seed.value }) };
}
