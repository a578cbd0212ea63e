// What a paste or a drop brings: text, or files, also those of whole folders.

/** @typedef {{ file: File, path: string }} FoundFile  path: with the names of the folders that it came in. */

const HIDDEN = /(?:^|\/)(?:\.[^/]*|Thumbs\.db|desktop\.ini|__MACOSX)(?:\/|$)/i; // what systems leave in folders

/** Return the text that a paste or a drop brings, "" if none, or if it only names the files that come with it.
 * @param {DataTransfer} transfer
 */
export function findText(transfer) {
  const text = transfer.getData("text/plain").trim();
  const names = [...transfer.files].map(({ name }) => name);
  const isNames = names.length > 0 && text.split(/\r?\n/).every((line) => names.some((name) => line.endsWith(name)));
  return isNames ? "" : text;
}

/** Return all files that come, in the order of their paths. Call it while the event is handled: later, they are gone.
 * @param {DataTransfer} transfer
 * @returns {Promise<FoundFile[]>}
 */
export async function findFiles(transfer) {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const found = items.map((item) => {
    const entry = item.webkitGetAsEntry?.();
    const file = item.getAsFile();
    return entry?.isDirectory
      ? listFolder(/** @type {FileSystemDirectoryEntry} */ (entry))
      : file && [{ file, path: file.name }];
  });
  return sortFiles((await Promise.all(found)).flatMap((files) => files ?? []));
}

/** Return the files of an input, which may let a folder be chosen.
 * @param {HTMLInputElement} input
 */
export const findChosen = (input) =>
  sortFiles([...(input.files ?? [])].map((file) => ({ file, path: file.webkitRelativePath || file.name })));

/** Leave out what systems hide, and put pictures in the order in which people number them: 2 before 10.
 * @param {FoundFile[]} files
 */
function sortFiles(files) {
  const { compare } = new Intl.Collator(undefined, { numeric: true });
  return files.filter(({ path }) => !HIDDEN.test(path)).sort((a, b) => compare(a.path, b.path));
}

/**
 * @param {FileSystemDirectoryEntry} folder
 * @returns {Promise<FoundFile[]>}
 */
async function listFolder(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const entries = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // a hundred at most
    if (!some.length) break;
    entries.push(...some);
  }
  const found = entries.map(async (entry) => {
    if (entry.isDirectory) return listFolder(/** @type {FileSystemDirectoryEntry} */ (entry));
    const one = /** @type {FileSystemFileEntry} */ (entry);
    /** @type {File} */
    const file = await new Promise((resolve, reject) => one.file(resolve, reject));
    return [{ file, path: entry.fullPath.replace(/^\//, "") }];
  });
  return (await Promise.all(found)).flat();
}
