// Snapshots, exports and imports, and starting over.

import { moment, say, size } from "../i18n/words.js";
import { currentWorkspace, get, post, upload, url } from "../server/api.js";
import { explain } from "../server/errors.js";
import { MAX_LABEL_LENGTH } from "../server/limits.js";
import { askForName } from "../ui/dialog.js";
import { button, byId, element } from "../ui/dom.js";
import { joinFacts } from "../ui/parts.js";

const MOST_SNAPSHOTS = 30;
const MOST_ERRORS = 20;

/** @type {("archive" | "folder" | "jsonl" | "seed")[]} */
const FORMATS = ["archive", "folder", "jsonl", "seed"];

/** Show the panel.
 * @param {Change} change
 */
export async function showKeep(change) {
  /** @type {Snapshot[]} */
  const snapshots = await get("/page/snapshots");
  byId("keep").replaceChildren(
    element("div", { class: "columns two" }, snapshotSection(snapshots, change), transferSection(change)),
    startOverSection(change),
  );
}

/**
 * @param {Snapshot[]} snapshots
 * @param {Change} change
 */
function snapshotSection(snapshots, change) {
  const name = element("input", {
    maxlength: MAX_LABEL_LENGTH,
    placeholder: say("snapshotName"),
    "aria-label": say("snapshotName"),
  });
  const save = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    change(() => post("/page/save", { name: name.value }), say("saved"));
  };
  const submit = element("button", { class: "primary", id: "save" }, say("save"));
  const rows = snapshots.slice(0, MOST_SNAPSHOTS).map((snapshot) => snapshotRow(snapshot, change));
  return element(
    "section",
    {},
    element("h3", {}, say("snapshots")),
    element("p", { class: "note" }, say("snapshotsNote")),
    element("form", { class: "row", onsubmit: save }, name, submit),
    rows.length > 0 && element("ul", { class: "kept" }, rows),
  );
}

/**
 * @param {Snapshot} snapshot
 * @param {Change} change
 */
function snapshotRow(
  { snapshot_id: id, name, trash, create_time: created, samples_total: total, size_bytes: bytes },
  change,
) {
  const restore = () => change(() => post("/page/restore", { snapshot_id: id }), say("restored", { name }));
  return element(
    "li",
    {},
    element(
      "div",
      {},
      element("strong", {}, name),
      trash && element("span", { class: "tag" }, say("putAside")),
      element("small", {}, joinFacts(moment(created), say("drawings", { count: total }), size(bytes))),
    ),
    button(say("restore"), restore),
  );
}

/** @param {Change} change */
function transferSection(change) {
  const links = FORMATS.map((format) =>
    element(
      "a",
      { class: "download", href: url("/page/export", { format }), download: true },
      element("strong", {}, say(`export_${format}`)),
      element("small", {}, say(`export_${format}_note`)),
    ),
  );
  const input = element("input", {
    type: "file",
    id: "import",
    onchange: () => {
      if (input.files?.length) importFile(input.files[0], change);
    },
  });
  return element(
    "section",
    {},
    element("h3", {}, say("transfer")),
    element("div", { class: "downloads" }, links),
    element("label", { class: "file button" }, say("importFile"), input),
    element("div", { id: "import-report" }),
  );
}

/**
 * @param {File} file
 * @param {Change} change
 */
async function importFile(file, change) {
  /** @type {RefusedItem[]} */
  let refused = [];
  await change(
    async () => {
      /** @type {ImportReport} */
      const report = await upload("/page/import", file);
      ({ refused } = report);
      return report;
    },
    ({ imported, duplicates, refused_total: total }) =>
      say("imported", { count: imported, known: duplicates, refused: total }),
  );
  if (!refused.length) return;
  const rows = refused.slice(0, MOST_ERRORS).map(({ item, error }) => element("li", {}, `${item}: ${explain(error)}`));
  byId("import-report").replaceChildren(element("p", {}, say("refusedTitle")), element("ul", { class: "note" }, rows));
}

/** @param {Change} change */
function startOverSection(change) {
  const name = currentWorkspace();
  const reset = async () => {
    const confirm = await askForName(say("resetTitle"), name, say("resetText", { name }), say("reset"));
    if (confirm !== null) await change(() => post("/page/reset", { confirm }), say("wasReset"));
  };
  const text = element(
    "div",
    {},
    element("h3", {}, say("startOver")),
    element("p", { class: "note" }, say("startOverNote")),
  );
  const control = button(say("resetButton", { name }), reset, { class: "danger", id: "reset" });
  return element("section", { class: "start-over" }, text, control);
}
