// Snapshots, export, import, reset.

import { currentWorkspace, get, post, upload, url } from "./api.js";
import { ask, byId, element } from "./dom.js";
import { say } from "./words.js";

export async function showKeep(changed) {
  const kept = await get("/page/snapshots");
  byId("keep").replaceChildren(
    element("h3", {}, say("snapshots")), saveRow(changed), snapshotTable(kept, changed),
    element("h3", {}, say("transfer")), transferRow(changed),
    element("h3", {}, say("startOver")), resetRow(changed),
  );
}

function saveRow(changed) {
  const save = async () => {
    const name = await ask(say("saveQuestion"));
    if (name !== null) await changed(() => post("/page/save", { name }), say("saved"));
  };
  return element("div", { class: "keep-row" }, element("button", { type: "button", onclick: save }, say("save")));
}

function snapshotTable(kept, changed) {
  if (!kept.length) return element("p", { class: "empty" }, say("noSnapshots"));
  return element("table", {}, element("tbody", {}, ...kept.slice(0, 30).map((one) => element("tr", {},
    element("td", {}, one.name), element("td", {}, new Date(one.created).toLocaleString()),
    element("td", {}, say("samplesOf", { count: one.samples_total })),
    element("td", {}, element("button", {
      type: "button", onclick: () => changed(() => post("/page/restore", { snapshot_id: one.snapshot_id }), say("restored")),
    }, say("restore")))))));
}

function transferRow(changed) {
  const links = ["archive", "folder", "jsonl", "seed"].map((format) =>
    element("a", { class: "button", href: url("/page/export", { format }), download: true }, say(`export_${format}`)));
  const input = element("input", { type: "file" });
  input.addEventListener("change", () => changed(async () => {
    const report = await upload("/page/import", input.files[0]);
    return say("imported", { count: report.imported, known: report.duplicates, refused: report.refused_total });
  }));
  return element("div", { class: "keep-row" }, ...links, element("label", { class: "file button" }, say("importFile"), input));
}

function resetRow(changed) {
  const reset = async () => {
    const name = currentWorkspace();
    const confirm = await ask(say("resetQuestion", { name }), { danger: true });
    if (confirm !== null) await changed(() => post("/page/reset", { confirm }), say("wasReset"));
  };
  return element("div", { class: "keep-row" }, element("button", { type: "button", class: "danger", id: "reset", onclick: reset }, say("reset")));
}
