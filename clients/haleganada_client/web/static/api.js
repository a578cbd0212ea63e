// Talking to the proxy: JSON in and out, the page's token on every write, the workspace on every call.

const csrf = document.querySelector('meta[name="csrf"]').content;
let workspace = localStorage.getItem("workspace") || "default";

export class Refused extends Error {
  constructor(answer, status) {
    super(answer.error || `HTTP ${status}`);
    this.status = status;
    this.reason = answer.reason || "";
  }
}

export const currentWorkspace = () => workspace;

export function chooseWorkspace(name) {
  workspace = name;
  localStorage.setItem("workspace", name);
}

export function url(path, parameters = {}) {
  return `${path}?${new URLSearchParams({ workspace, ...parameters })}`;
}

export const get = (path, parameters) => call(url(path, parameters), {});

export const post = (path, body, signal) =>
  call(url(path), { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, signal });

export const upload = (path, file) =>
  call(url(path), { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" } });

async function call(address, options) {
  const headers = { ...options.headers, "X-CSRF-Token": csrf };
  let response;
  try {
    response = await fetch(address, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused({ error: "" }, 503);
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(answer, response.status);
  return answer;
}

// crypto.randomUUID exists only in secure contexts; a page on a home network is none.
export function requestId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
