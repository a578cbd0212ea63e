// fetch that tells how much has been sent, which fetch itself does not, and what has been answered so far.

/** @typedef {(sent: number, total: number) => void} OnProgress  Both in bytes. */

/** Send a request, as fetch does. Rejects with AbortError if its signal aborts, with TypeError without an answer.
 * @param {string} address
 * @param {{ method?: string, body?: BodyInit | null, headers?: Record<string, string>, signal?: AbortSignal | null }} options
 * @param {OnProgress} onProgress
 * @param {(text: string) => void} [onText]  is given the answer so far, whenever more of it has come
 * @returns {Promise<Response>}
 */
export function fetchWithProgress(address, { method = "GET", body, headers = {}, signal }, onProgress, onText) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, address);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.total));
    if (onText) request.addEventListener("progress", () => request.status === 200 && onText(request.responseText));
    request.addEventListener("load", () => resolve(new Response(request.responseText, { status: request.status })));
    request.addEventListener("error", () => reject(new TypeError("no answer")));
    request.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
    signal?.addEventListener("abort", () => request.abort());
    request.send(/** @type {XMLHttpRequestBodyInit} */ (body));
  });
}
