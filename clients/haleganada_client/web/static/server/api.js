// Calls to the page's server: JSON in and out, the page's token on every write, the workspace on every call.

import { settings } from "../ui/storage.js";
import { askToLogIn } from "./session.js";
import { fetchWithProgress } from "./upload.js";

let token = document.querySelector('meta[name="csrf"]')?.getAttribute("content") ?? "";
let workspace = settings.get("workspace") || "default";

/** Dispatches "lost" when the server does not answer, "found" when it does. */
export const server = new EventTarget();

/** An error that the server answered, or the lack of an answer (status 0). */
export class ServerError extends Error {
  /**
   * @param {{ error?: string, reason?: string, field?: string, call_id?: string }} answer
   * @param {number} status  of HTTP
   */
  constructor(answer, status) {
    super(answer.error || `HTTP ${status}`);
    this.status = status;
    this.reason = answer.reason || "";
    this.field = answer.field || "";
    this.callId = answer.call_id || "";
  }

  /** Whether the server is away, stopping or too slow, so that the same call may well succeed later. */
  get isAbsence() {
    return [0, 503, 504].includes(this.status);
  }
}

/** Return the name of the workspace that calls are about. */
export const getWorkspace = () => workspace;

/** Let calls be about another workspace, after a reload too.
 * @param {string} name
 */
export function chooseWorkspace(name) {
  workspace = name;
  settings.set("workspace", name);
}

/** Return the address of something in the workspace.
 * @param {string} path
 * @param {Record<string, unknown>} parameters
 */
export function makeUrl(path, parameters = {}) {
  const given = Object.entries({ workspace, ...parameters }).map(([name, value]) => [name, String(value)]);
  return `${path}?${new URLSearchParams(given)}`;
}

/** Read something. Raises ServerError.
 * @param {string} path
 * @param {Record<string, unknown>} [parameters]
 * @returns {Promise<any>}
 */
export const get = (path, parameters) => call(makeUrl(path, parameters), {});

/** Change something. Raises ServerError, or AbortError if it was stopped.
 * @param {string} path
 * @param {object} body
 * @param {{ signal?: AbortSignal, workspace?: string }} [options]  signal: stops the call. workspace: another one than is shown.
 * @returns {Promise<any>}
 */
export const post = (path, body, { signal, workspace: other } = {}) =>
  write(path, JSON.stringify(body), "application/json", { signal, parameters: other ? { workspace: other } : {} });

/**
 * @typedef {object} UploadOptions
 * @property {Record<string, unknown>} [parameters]  of the address
 * @property {AbortSignal} [signal]  stops the upload
 * @property {import("./upload.js").OnProgress} [onProgress]
 * @property {(line: any) => void} [onLine]  is given each line of an answer in lines of JSON, as soon as it comes
 */

/** Send a file. Raises ServerError, or AbortError if it was stopped.
 * @param {string} path
 * @param {Blob} file
 * @param {UploadOptions} [options]
 * @returns {Promise<any>}
 */
export const upload = (path, file, options) => write(path, file, "application/octet-stream", options);

/** Send a file whose answer is lines of JSON, and return `done` of the last one. Raises ServerError, also where that is an error
 * that was met after the answer had begun; or AbortError if it was stopped.
 * @param {string} path
 * @param {Blob} file
 * @param {UploadOptions} options
 * @returns {Promise<any>}
 */
export async function streamLines(path, file, options) {
  const last = await upload(path, file, options);
  if ("error" in last) throw fail(last, 200);
  if (!("done" in last)) throw fail({}, 0); // the answer broke off
  return last.done;
}

/**
 * @param {string} path
 * @param {string | Blob} body
 * @param {string} type
 * @param {UploadOptions} options
 */
async function write(path, body, type, { parameters, signal, onProgress, onLine } = {}) {
  const send = () => {
    const headers = { "Content-Type": type, "X-CSRF-Token": token };
    return call(makeUrl(path, parameters), { method: "POST", body, signal, headers }, onProgress, onLine);
  };
  try {
    return await send();
  } catch (error) {
    if (error.reason !== "PAGE_OUTDATED") throw error;
    token = (await get("/page/token")).token; // the browser forgot its cookies; this page is still the page
    return send();
  }
}

/**
 * @param {string} address
 * @param {RequestInit & { headers?: Record<string, string> }} options
 * @param {import("./upload.js").OnProgress} [onProgress]
 * @param {(line: any) => void} [onLine]
 */
async function call(address, options, onProgress, onLine) {
  let response;
  try {
    response = await (onProgress
      ? fetchWithProgress(address, options, onProgress, onLine && eachLine(onLine))
      : fetch(address, options));
  } catch (error) {
    throw error.name === "AbortError" ? error : fail({}, 0);
  }
  const answer = await (onLine ? lastLine(response) : response.json().catch(() => ({})));
  if (response.status === 401) askToLogIn();
  if (!response.ok) throw fail(answer, response.status);
  server.dispatchEvent(new Event("found"));
  return answer;
}

/** Return the last line of an answer, or all of it if it is an error.
 * @param {Response} response
 */
async function lastLine(response) {
  const text = (await response.text()).trim();
  try {
    return JSON.parse(response.ok ? text.slice(text.lastIndexOf("\n") + 1) : text);
  } catch {
    return {};
  }
}

/** Return what parses the lines of an answer that grows, each once.
 * @param {(line: any) => void} onLine
 */
function eachLine(onLine) {
  let done = 0;
  return (/** @type {string} */ text) => {
    for (let end = text.indexOf("\n", done); end >= 0; end = text.indexOf("\n", done)) {
      onLine(JSON.parse(text.slice(done, end)));
      done = end + 1;
    }
  };
}

/** Make an error, and tell listeners if it means that the server is away.
 * @param {object} answer
 * @param {number} status
 */
function fail(answer, status) {
  const error = new ServerError(answer, status);
  if (error.isAbsence) server.dispatchEvent(new Event("lost"));
  return error;
}

/** Return a fresh request_id. crypto.randomUUID exists only in secure contexts; a page on a home network is none. */
export function makeRequestId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
