// What was read lately and is still kept.

import { formatTime, say, formatSize } from "../i18n/words.js";
import { get } from "../server/api.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { deleteIfSure } from "../ui/deletion.js";
import { makeLink, nameView } from "../ui/navigation.js";
import { joinFacts } from "../ui/parts.js";
import { showStatus } from "../ui/status.js";

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
      : makeElement("p", { class: "empty" }, say("readingsEmpty"));
    list.replaceChildren(makeElement("h3", {}, say("readLately")), content);
  };
  return { list, refresh };
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
