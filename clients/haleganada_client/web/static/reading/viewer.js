// One page of a reading: the scan beside its text. What is pointed at in one lights up in the other.

import { formatDuration, say } from "../i18n/words.js";
import { get, makeUrl } from "../server/api.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { makeBackLink, makeLink, nameView, runWhenShown } from "../ui/navigation.js";
import { joinFacts, formatShare } from "../ui/parts.js";
import { showStatus } from "../ui/status.js";
import { buildScan } from "./scan.js";
import { buildText } from "./text.js";
import { listUnits } from "./units.js";

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

/** @type {ShowView} */
export async function showReading(view, path, life) {
  const [id, wanted] = path.split("/").map(decodeURIComponent);
  const address = `/page/readings/${encodeURIComponent(id)}`;
  /** @type {Reading} */
  const reading = await get(address);
  const number = reading.pages.includes(Number(wanted)) ? Number(wanted) : reading.pages[0];
  /** @type {PageReading} */
  const page = await get(`${address}/pages/${number}`);
  const words = listUnits(page);
  const about = makeElement("p", { class: "note about-word", role: "status" });

  const point = (/** @type {number | null} */ index) => {
    scan.light(index);
    text.light(index);
    about.textContent = index === null ? summarize(page) : describe(words[index]);
  };
  const scan = buildScan(page, words, makeUrl(`${address}/pages/${number}/image`), {
    onPoint: point,
    onChoose: (index) => text.reveal(index),
  });
  const text = buildText(page, words, { onPoint: point, onChoose: (index) => scan.reveal(index) });
  point(null);

  view.replaceChildren(
    makeBackLink("readLately", ""),
    buildHeading(reading, number, page),
    makeElement("div", { class: "side-by-side" }, scan.node, text.node),
    about,
  );
  runWhenShown(view, scan.fit);
  turnPagesByKey(reading, number, life);
}

/**
 * @param {Reading} reading
 * @param {number} number  of the page
 * @param {PageReading} page
 */
function buildHeading(reading, number, page) {
  const copy = async () => {
    await navigator.clipboard.writeText(page.text);
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
function buildDownloads({ reading_id: id }) {
  const items = FORMATS.map(([format, word]) =>
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
function turnPagesByKey({ reading_id: id, pages }, number, life) {
  const turn = (/** @type {KeyboardEvent} */ event) => {
    const step = { PageUp: -1, PageDown: 1 }[event.key];
    const to = pages[pages.indexOf(number) + (step ?? 0)];
    if (!step || !to || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    location.hash = namePageView(id, to);
  };
  document.addEventListener("keydown", turn, { signal: life });
}

/** @param {PageReading} page */
function summarize(page) {
  const engines = [...new Set(page.blocks.flatMap((block) => block.lines.map((line) => line.engine)))].filter(Boolean);
  return joinFacts(
    engines.join(", "),
    formatDuration(page.elapsed_ms / 1000),
    page.turn_degrees ? say("pageTurned", { degrees: page.turn_degrees }) : "",
    page.blocks.length ? "" : say("noText"),
  );
}

/** @param {import("./units.js").Unit} unit */
const describe = ({ text, confidence, engine }) =>
  joinFacts(text, confidence === null ? say("confidenceUnknown") : formatShare(confidence), engine);
