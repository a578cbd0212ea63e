// Snapshots, files to take along and to bring back, and starting over.

import { currentWorkspace, get, post, upload, url } from "./api.js";
import { askForName } from "./dialog.js";
import { button, byId, element } from "./dom.js";
import { explain } from "./refusals.js";
import { moment, say, size } from "./words.js";

const SNAPSHOTS = 30;
const FORMATS = ["archive", "folder", "jsonl", "seed"];

// change(run, message): carries out a change and shows the page anew.
export async function showKeep(change) {
  const kept = await get("/page/snapshots");
  byId("keep").replaceChildren(element("div", { class: "columns two" }, snapshots(kept, change), transfers(change)), startOver(change));
}

function snapshots(kept, change) {
  const name = element("input", { maxlength: 64, placeholder: say("snapshotName"), "aria-label": say("snapshotName") });
  const save = (event) => { event.preventDefault(); change(() => post("/page/save", { name: name.value }), say("saved")); };
  const form = element("form", { class: "row", onsubmit: save }, name, element("button", { class: "primary", id: "save" }, say("save")));
  return element("section", {}, element("h3", {}, say("snapshots")), element("p", { class: "note" }, say("snapshotsNote")), form,
    kept.length > 0 && element("ul", { class: "kept" }, kept.slice(0, SNAPSHOTS).map((one) => snapshot(one, change))));
}

function snapshot(one, change) {
  const restore = () => change(() => post("/page/restore", { snapshot_id: one.snapshot_id }), say("restored", { name: one.name }));
  return element("li", {},
    element("div", {}, element("strong", {}, one.name), one.trash && element("span", { class: "tag" }, say("putAside")),
      element("small", {}, [moment(one.create_time), say("drawings", { count: one.samples_total }), size(one.size_bytes)].join(" · "))),
    button(say("restore"), restore));
}

function transfers(change) {
  const links = FORMATS.map((format) => element("a", { class: "download", href: url("/page/export", { format }), download: true },
    element("strong", {}, say(`export_${format}`)), element("small", {}, say(`export_${format}_note`))));
  const input = element("input", { type: "file", id: "import", onchange: () => bringBack(input.files[0], change) });
  return element("section", {}, element("h3", {}, say("transfer")), element("div", { class: "downloads" }, links),
    element("label", { class: "file button" }, say("importFile"), input), element("div", { id: "import-report" }));
}

const REFUSED_SHOWN = 20;

async function bringBack(file, change) {
  let refused = [];
  await change(async () => {
    const report = await upload("/page/import", file);
    ({ refused } = report);
    return report;
  }, (report) => say("imported", { count: report.imported, known: report.duplicates, refused: report.refused_total }));
  if (!refused.length) return;
  const rows = refused.slice(0, REFUSED_SHOWN).map(({ item, error }) => element("li", {}, `${item}: ${explain(error)}`));
  byId("import-report").replaceChildren(element("p", {}, say("refusedTitle")), element("ul", { class: "note" }, rows));
}

function startOver(change) {
  const name = currentWorkspace();
  const reset = async () => {
    const confirm = await askForName(say("resetTitle"), name, say("resetText", { name }), say("reset"));
    if (confirm !== null) await change(() => post("/page/reset", { confirm }), say("wasReset"));
  };
  return element("section", { class: "start-over" }, element("div", {}, element("h3", {}, say("startOver")), element("p", { class: "note" }, say("startOverNote"))),
    button(say("resetButton", { name }), reset, { class: "danger", id: "reset" }));
}
