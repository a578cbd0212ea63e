// The head of a reading: its name, its pages, its text to copy and to download.

import { say } from "../i18n/words.js";
import { makeUrl } from "../server/api.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { makeLink, nameView } from "../ui/navigation.js";
import { showStatus } from "../ui/status.js";

/** What a reading can be downloaded as.
 * @type {[string, import("../i18n/words.js").Word][]}
 */
const FORMATS = [
  ["text", "formatText"],
  ["pdf", "formatPdf"],
  ["json", "formatJson"],
  ["hocr", "formatHocr"],
  ["alto", "formatAlto"],
  ["page", "formatPage"],
  ["tsv", "formatTsv"],
  ["words", "formatWords"],
  ["crops", "formatCrops"],
];

/** What a reading of a taught script can be downloaded as, too.
 * @type {typeof FORMATS}
 */
const TAUGHT_FORMATS = [["glyphs", "formatGlyphs"]];

/** Build it.
 * @param {Reading} reading
 * @param {number} number  of the page
 * @param {() => string} getText  of the page
 */
export function buildHeading(reading, number, getText) {
  const copy = async () => {
    await navigator.clipboard.writeText(getText());
    showStatus(say("copied"));
  };
  return makeElement(
    "div",
    { class: "heading" },
    makeElement("h3", {}, reading.file_name || say("unnamedDocument")),
    makeElement(
      "div",
      { class: "row wrap" },
      buildPageSwitcher(reading, number),
      navigator.clipboard && makeButton(say("copyText"), copy, { id: "copy" }),
      buildDownloads(reading),
    ),
  );
}

/**
 * @param {Reading} reading
 * @param {number} number
 */
function buildPageSwitcher({ reading_id: id, pages }, number) {
  if (pages.length < 2) return null;
  const at = pages.indexOf(number);
  const turn = (
    /** @type {number} */ to,
    /** @type {string} */ sign,
    /** @type {import("../i18n/words.js").Word} */ word,
  ) =>
    to in pages
      ? makeLink(sign, namePageView(id, pages[to]), {
          class: "button square",
          "aria-label": say(word),
          title: say(word),
        })
      : makeElement("span", { class: "button square off", "aria-hidden": "true" }, sign);
  return makeElement(
    "nav",
    { class: "row", "aria-label": say("pages") },
    turn(at - 1, "‹", "pageBefore"),
    makeElement("span", {}, say("pageOf", { page: number, total: pages[pages.length - 1] })),
    turn(at + 1, "›", "pageAfter"),
  );
}

/** @param {Reading} reading */
function buildDownloads({ reading_id: id, workspace }) {
  const items = [...FORMATS, ...(workspace ? TAUGHT_FORMATS : [])].map(([format, word]) =>
    makeElement(
      "li",
      {},
      makeElement(
        "a",
        { class: "download", href: makeUrl(`/page/readings/${id}/export/${format}`), download: true },
        say(word),
      ),
    ),
  );
  return makeElement(
    "details",
    { class: "menu" },
    makeElement("summary", { class: "button" }, say("download")),
    makeElement("ul", {}, items),
  );
}

/**
 * @param {string} id
 * @param {number} page
 */
const namePageView = (id, page) => `${nameView("reading", id)}/${page}`;

/** Page Up and Page Down turn the pages, wherever the focus is.
 * @param {Reading} reading
 * @param {number} number
 * @param {AbortSignal} life
 */
export function turnPagesByKey({ reading_id: id, pages }, number, life) {
  const turn = (/** @type {KeyboardEvent} */ event) => {
    const step = { PageUp: -1, PageDown: 1 }[event.key];
    const to = pages[pages.indexOf(number) + (step ?? 0)];
    if (!step || !to || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    location.hash = namePageView(id, to);
  };
  document.addEventListener("keydown", turn, { signal: life });
}
