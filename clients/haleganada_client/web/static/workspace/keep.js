// Snapshots, exports and imports, and starting over.

import { buildFolderNames } from "../datasets/folder_names.js";
import { formatSize, formatTime, say } from "../i18n/words.js";
import { get, getWorkspace, makeUrl, post, upload } from "../server/api.js";
import { explain } from "../server/errors.js";
import { MAX_LABEL_LENGTH } from "../server/limits.js";
import { askForName, askWhether } from "../ui/dialog.js";
import { getById, makeButton, makeElement, replaceKeepingFocus } from "../ui/dom.js";
import { joinFacts } from "../ui/parts.js";

const MOST_SNAPSHOTS = 30;
const MOST_ERRORS = 20;

// Names of what the server took by itself, in the language of the page.
/** @type {Record<string, import("../i18n/words.js").Word>} */
const NAMES = { automatic: "automatic", before_import: "beforeImport" };

/** @type {("archive" | "folder" | "jsonl" | "seed")[]} */
const FORMATS = ["archive", "folder", "jsonl", "seed"];

/** Show the panel.
 * @param {Change} change
 * @param {number} revision  of the workspace as the reader sees it: no other is replaced
 */
export async function showKeep(change, revision) {
  /** @type {Snapshot[]} */
  const snapshots = await get("/page/snapshots");
  replaceKeepingFocus(
    getById("keep"),
    makeElement(
      "div",
      { class: "columns two" },
      buildSnapshotSection(snapshots, change, revision),
      buildTransferSection(change),
    ),
    buildStartOverSection(change, revision),
  );
}

/**
 * @param {Snapshot[]} snapshots
 * @param {Change} change
 * @param {number} revision
 */
function buildSnapshotSection(snapshots, change, revision) {
  const name = makeElement("input", {
    maxlength: MAX_LABEL_LENGTH,
    placeholder: say("snapshotName"),
    "aria-label": say("snapshotName"),
  });
  const save = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    change(() => post("/page/save", { name: name.value }), say("saved"));
  };
  const submit = makeElement("button", { class: "primary", id: "save" }, say("save"));
  const isLast = snapshots.length === 1;
  const rows = snapshots
    .slice(0, MOST_SNAPSHOTS)
    .map((snapshot) => buildSnapshotRow(snapshot, change, isLast, revision));
  return makeElement(
    "section",
    {},
    makeElement("h3", {}, say("snapshots")),
    makeElement("p", { class: "note" }, say("snapshotsNote")),
    makeElement("form", { class: "row", onsubmit: save }, name, submit),
    rows.length > 0 && makeElement("ul", { class: "kept" }, rows),
  );
}

/**
 * @param {Snapshot} snapshot
 * @param {Change} change
 * @param {boolean} isLast  no other snapshot is left
 * @param {number} revision
 */
function buildSnapshotRow(
  { snapshot_id: id, name: given, kind, create_time: created, samples_total: total, size_bytes: bytes },
  change,
  isLast,
  revision,
) {
  const name = kind in NAMES ? say(NAMES[kind]) : given;
  const restore = () =>
    change(() => post("/page/restore", { snapshot_id: id, expected_revision: revision }), say("restored", { name }));
  const remove = async () => {
    const workspace = getWorkspace();
    const [title, action] = [say("deleteSnapshotTitle"), say("deleteSnapshot")];
    const answer = isLast
      ? await askForName(title, workspace, say("deleteLastText", { name: workspace }), action)
      : await askWhether(title, say("deleteSnapshotText", { name }), action);
    if (answer === null) return;
    const confirm = isLast ? workspace : "";
    await change(() => post("/page/snapshots/delete", { snapshot_id: id, confirm }), say("snapshotDeleted", { name }));
  };
  return makeElement(
    "li",
    {},
    makeElement(
      "div",
      {},
      makeElement("strong", {}, name),
      kind === "trash" && makeElement("span", { class: "tag" }, say("inTrash")),
      makeElement("small", {}, joinFacts(formatTime(created), say("drawings", { count: total }), formatSize(bytes))),
    ),
    makeButton(say("restore"), restore),
    makeButton(say("deleteSnapshot"), remove, { class: "danger" }),
  );
}

/** @param {Change} change */
function buildTransferSection(change) {
  const links = FORMATS.map((format) =>
    makeElement(
      "a",
      { class: "download", href: makeUrl("/page/export", { format }), download: true },
      makeElement("strong", {}, say(`export_${format}`)),
      makeElement("small", {}, say(`export_${format}_note`)),
    ),
  );
  const rule = buildFolderNames("import-folder-names");
  const input = makeElement("input", {
    type: "file",
    id: "import",
    onchange: () => {
      if (input.files?.length) importFile(input.files[0], rule.value, change);
      input.value = ""; // the same file may be chosen again, to be read in another way
    },
  });
  return makeElement(
    "section",
    {},
    makeElement("h3", {}, say("transfer")),
    makeElement("div", { class: "downloads" }, links),
    makeElement("label", { class: "field" }, say("folderNames"), rule),
    makeElement("label", { class: "file button" }, say("importFile"), input),
    makeElement("div", { id: "import-report" }),
  );
}

/**
 * @param {File} file
 * @param {string} rule  how folders that are named by numbers are read
 * @param {Change} change
 */
async function importFile(file, rule, change) {
  /** @type {RefusedItem[]} */
  let refused = [];
  await change(
    async () => {
      /** @type {ImportReport} */
      const report = await upload("/page/import", file, { parameters: { folder_names: rule } });
      ({ refused } = report);
      return report;
    },
    ({ imported, duplicates, refused_total: total }) =>
      say("imported", { count: imported, known: duplicates, refused: total }),
  );
  if (!refused.length) return;
  const rows = refused
    .slice(0, MOST_ERRORS)
    .map(({ item, error }) => makeElement("li", {}, `${item}: ${explain(error)}`));
  getById("import-report").replaceChildren(
    makeElement("p", {}, say("refusedTitle")),
    makeElement("ul", { class: "note" }, rows),
  );
}

/**
 * @param {Change} change
 * @param {number} revision
 */
function buildStartOverSection(change, revision) {
  const name = getWorkspace();
  const reset = async () => {
    const confirm = await askForName(say("resetTitle"), name, say("resetText", { name }), say("reset"));
    if (confirm === null) return;
    await change(() => post("/page/reset", { confirm, expected_revision: revision }), say("wasReset"));
  };
  const text = makeElement(
    "div",
    {},
    makeElement("h3", {}, say("startOver")),
    makeElement("p", { class: "note" }, say("startOverNote")),
  );
  const control = makeButton(say("resetButton", { name }), reset, { class: "danger", id: "reset" });
  return makeElement("section", { class: "start-over" }, text, control);
}
