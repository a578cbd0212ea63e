// Talking to the proxy: JSON in and out, the page's token on every write, the workspace on every call.
// `server` tells whoever listens when the server stops answering ("lost") and when it answers again ("found").

import { fetchWithProgress } from "./progress.js";

let token = document.querySelector('meta[name="csrf"]').content;
let workspace = localStorage.getItem("workspace") || "default";

export const server = new EventTarget();

export class Refused extends Error {
  constructor(answer, status) {
    super(answer.error || `HTTP ${status}`);
    this.status = status;
    this.reason = answer.reason || "";
    this.field = answer.field || "";
  }

  // The server is away, stopping or too slow, so that the same call may well succeed later.
  get isAbsence() { return this.status === 0 || this.status === 503 || this.status === 504; }
}

export const currentWorkspace = () => workspace;

export function chooseWorkspace(name) {
  workspace = name;
  localStorage.setItem("workspace", name);
}

export const url = (path, parameters = {}) => `${path}?${new URLSearchParams({ workspace, ...parameters })}`;

export const get = (path, parameters) => call(url(path, parameters), {});

export const post = (path, body, signal) => write(path, JSON.stringify(body), "application/json", { signal });

// options: parameters of the address, a signal to stop it, and onProgress(bytes sent, bytes in all).
export const upload = (path, file, options) => write(path, file, "application/octet-stream", options);

async function write(path, body, type, { parameters, signal, onProgress } = {}) {
  const headers = () => ({ "Content-Type": type, "X-CSRF-Token": token });
  const send = () => call(url(path, parameters), { method: "POST", body, signal, headers: headers() }, onProgress);
  try {
    return await send();
  } catch (error) {
    if (error.reason !== "TOKEN_MISSING") throw error;
    token = (await get("/page/token")).token; // the browser forgot its cookies; this page is still the page
    return send();
  }
}

async function call(address, options, onProgress = null) {
  let response;
  try {
    response = await (onProgress ? fetchWithProgress(address, options, onProgress) : fetch(address, options));
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw told(new Refused({ error: "" }, 0));
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw told(new Refused(answer, response.status));
  server.dispatchEvent(new Event("found"));
  return answer;
}

function told(refused) {
  if (refused.isAbsence) server.dispatchEvent(new Event("lost"));
  return refused;
}

// crypto.randomUUID exists only in secure contexts; a page on a home network is none.
export function requestId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
