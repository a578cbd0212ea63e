// Sending one document, and hearing of its pages while they are read: the answer is a line of JSON for each.

import { streamLines } from "../server/api.js";

/**
 * @typedef {object} Watcher
 * @property {import("../server/upload.js").OnProgress} showSent
 * @property {(progress: ReadingProgress) => void} showPages
 * @property {AbortSignal} signal  stops sending and reading
 */

/** @typedef {{ reading: Reading, pages_failed: number }} Outcome */

/** Read a document. Raises ServerError, or AbortError if it was stopped.
 * @param {File} file
 * @param {Record<string, string>} options
 * @param {Watcher} watcher
 * @returns {Promise<Outcome>}
 */
export async function readDocument(file, options, { showSent, showPages, signal }) {
  const parameters = { file_name: file.name, ...options };
  const onLine = (/** @type {any} */ line) => {
    if ("pages_done" in line) showPages(line);
  };
  return streamLines("/page/readings", file, { parameters, signal, onProgress: showSent, onLine });
}
