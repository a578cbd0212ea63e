// What was read lately and is still kept.

import { formatTime, say, formatSize } from "../i18n/words.js";
import { get, post } from "../server/api.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { deleteIfSure } from "../ui/deletion.js";
import { goTo, makeLink, nameView } from "../ui/navigation.js";
import { joinFacts } from "../ui/parts.js";
import { showError, showStatus, showWhile } from "../ui/status.js";

/** Build the list; refresh() fills it.
 * @param {AbortSignal} life
 */
export function buildList(life) {
  const list = makeElement("section", {});
  const refresh = async () => {
    /** @type {Reading[]} */
    const readings = await get("/page/readings");
    if (life.aborted) return;
    const rows = readings.map((reading) => buildRow(reading, refresh));
    const content = rows.length
      ? makeElement("ul", { class: "kept" }, rows)
      : makeElement(
          "div",
          { class: "empty" },
          makeElement("p", {}, say("readingsEmpty")),
          makeButton(say("seeExample"), openExample),
        );
    list.replaceChildren(makeElement("h3", {}, say("readLately")), content);
  };
  return { list, refresh };
}

/** Read a page of the Copiale cipher by symbols that come with the product, and show it. */
async function openExample() {
  try {
    const example = await showWhile(post("/page/examples/copiale", {}), say("openingExample"));
    goTo(nameView("reading", example.reading_id), say("exampleOpened", { workspace: example.workspace }));
  } catch (error) {
    showError(error);
  }
}

/**
 * @param {Reading} reading
 * @param {() => Promise<void>} refresh
 */
function buildRow(reading, refresh) {
  const name = reading.file_name || say("unnamedDocument");
  const facts = joinFacts(
    say("pagesCount", { count: reading.pages.length }),
    formatSize(reading.size_bytes),
    formatTime(reading.create_time),
    reading.expire_time ? say("keptUntil", { time: formatTime(reading.expire_time) }) : say("keptForGood"),
  );
  const remove = () =>
    deleteIfSure({
      path: `/page/readings/${reading.reading_id}`,
      name,
      text: say("deleteReadingText"),
      done: async (message) => {
        showStatus(message);
        await refresh();
      },
    });
  const title = reading.damaged
    ? makeElement("span", { class: "title" }, name)
    : makeLink(name, nameView("reading", reading.reading_id), { class: "title" });
  const note = reading.damaged
    ? makeElement("small", { class: "warning" }, say("readingDamaged"))
    : makeElement("p", { class: "excerpt script" }, reading.excerpt || say("withoutText"));
  return makeElement(
    "li",
    {},
    makeElement("div", { class: "job" }, title, note, makeElement("small", {}, facts)),
    makeButton(say("delete"), remove, { class: "danger", "aria-label": say("deleteTitle", { name }) }),
  );
}
