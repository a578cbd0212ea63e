// Documents on their way: two at a time are sent and read, whatever the page shows meanwhile; each shows how far it is
// and can be stopped.

import { formatPercent, say } from "../i18n/words.js";
import { explain } from "../server/errors.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { makeLink, nameView } from "../ui/navigation.js";
import { buildMeter } from "../ui/parts.js";
import { readDocument } from "./read.js";

/** @typedef {(sent: number, total: number) => void} OnSent */

const AT_ONCE = 2;

/** Dispatches "read" whenever a document has been read. */
export const queue = new EventTarget();

/** The documents on their way, as a list. */
export const queueList = makeElement("ul", { class: "kept queue" });

/** @type {(() => Promise<void>)[]} */
const waiting = [];
let running = 0;

/** Read documents, one after another.
 * @param {File[]} files
 * @param {Record<string, string>} options  how to read them
 */
export function addToQueue(files, options) {
  queueList.setAttribute("aria-label", say("inWork"));
  for (const file of files) {
    const { node, run } = makeRow(file, options);
    queueList.append(node);
    waiting.push(run);
  }
  startNext();
}

function startNext() {
  while (running < AT_ONCE && waiting.length) {
    running += 1;
    waiting
      .shift()?.()
      .finally(() => {
        running -= 1;
        startNext();
      });
  }
}

/** Build the row of one document; run() reads it.
 * @param {File} file
 * @param {Record<string, string>} options
 */
function makeRow(file, options) {
  const stop = new AbortController();
  const text = makeElement("small", { role: "status" }, say("waitingToRead"));
  const bar = buildMeter(0, 0, file.name);
  const cancel = makeButton(say("cancel"), () => {
    stop.abort();
    node.remove();
  });
  const about = makeElement("div", { class: "job" }, makeElement("span", { class: "title" }, file.name), bar, text);
  const node = makeElement("li", {}, about, cancel);
  const run = async () => {
    if (stop.signal.aborted) return;
    try {
      const outcome = await readDocument(file, options, { ...makeProgress(bar, text), signal: stop.signal });
      showOutcome(outcome, bar, text, cancel);
      queue.dispatchEvent(new Event("read"));
    } catch (error) {
      if (error.name === "AbortError") return;
      bar.remove();
      text.classList.add("warning");
      text.textContent = explain(error);
      cancel.textContent = say("dismiss");
    }
  };
  return { node, run };
}

/** Return what shows how far a document is.
 * @param {HTMLProgressElement} bar
 * @param {HTMLElement} text
 * @returns {{ showSent: OnSent, showPages: (progress: ReadingProgress) => void }}
 */
function makeProgress(bar, text) {
  return {
    showSent: (sent, total) => {
      bar.max = total;
      bar.value = sent;
      if (sent >= total) bar.removeAttribute("value");
      text.textContent = sent < total ? say("sending", { percent: formatPercent(sent / total) }) : say("readingPages");
    },
    showPages: ({ pages_done: done, pages_total: total }) => {
      bar.max = total;
      bar.value = done;
      text.textContent = say("pagesRead", { done, total });
    },
  };
}

/**
 * @param {import("./read.js").Outcome} outcome
 * @param {HTMLElement} bar
 * @param {HTMLElement} text
 * @param {HTMLElement} cancel
 */
function showOutcome({ reading, pages_failed: failed }, bar, text, cancel) {
  text.textContent = failed ? say("pagesFailed", { failed }) : say(reading.excerpt ? "readDone" : "withoutText");
  bar.remove();
  cancel.replaceWith(makeLink(say("showText"), nameView("reading", reading.reading_id), { class: "button primary" }));
}
