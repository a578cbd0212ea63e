// One page of a reading: the scan beside its text. What is pointed at in one lights up in the other.

import { formatDuration, say } from "../i18n/words.js";
import { get, makeUrl } from "../server/api.js";
import { makeElement } from "../ui/dom.js";
import { makeBackLink, runWhenShown } from "../ui/navigation.js";
import { joinFacts, formatShare } from "../ui/parts.js";
import { buildHeading, turnPagesByKey } from "./heading.js";
import { buildScan } from "./scan.js";
import { findDrawings } from "./taught/drawings.js";
import { TaughtPage } from "./taught/page.js";
import { buildText } from "./text.js";
import { listUnits } from "./units.js";

/** @type {ShowView} */
export async function showReading(view, path, life) {
  const [id, wanted] = path.split("/").map(decodeURIComponent);
  const base = `/page/readings/${encodeURIComponent(id)}`;
  /** @type {Reading} */
  const reading = await get(base);
  const number = reading.pages.includes(Number(wanted)) ? Number(wanted) : reading.pages[0];
  const address = `${base}/pages/${number}`;
  /** @type {PageReading} */
  const page = await get(address);
  const shown = { address, picture: makeUrl(`${address}/image`), page };
  const { nodes, fit, getText } = reading.workspace
    ? await buildTaughtPage(shown, reading.workspace, life)
    : buildPlainPage(shown);
  view.replaceChildren(makeBackLink("readLately", ""), buildHeading(reading, number, getText), ...nodes);
  runWhenShown(view, fit);
  turnPagesByKey(reading, number, life);
}

/** @typedef {{ address: string, picture: string, page: PageReading }} ShownPage  Addresses of the page and its picture. */

/** Build a page that can be corrected.
 * @param {ShownPage} shown
 * @param {string} workspace
 * @param {AbortSignal} life
 */
async function buildTaughtPage(shown, workspace, life) {
  const drawings = findDrawings(workspace);
  await drawings.load().catch(() => {}); // without a workspace, there are no drawings of its labels
  const taught = new TaughtPage(shown, drawings, life);
  return { nodes: [taught.node], fit: () => taught.fit(), getText: () => taught.corrections.page.text };
}

/** Build a page that can be looked at.
 * @param {ShownPage} shown
 */
function buildPlainPage({ picture, page }) {
  const words = listUnits(page);
  const about = makeElement("p", { class: "note about-word", role: "status" });
  const point = (/** @type {number | null} */ index) => {
    scan.light(index);
    text.light(index);
    about.textContent = index === null ? summarize(page) : describe(words[index]);
  };
  const scan = buildScan(page, words, picture, { onPoint: point, onChoose: (index) => text.reveal(index) });
  const text = buildText(page, words, { onPoint: point, onChoose: (index) => scan.reveal(index) });
  point(null);
  const both = makeElement("div", { class: "side-by-side" }, scan.node, text.node);
  return { nodes: [both, about], fit: scan.fit, getText: () => page.text };
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
