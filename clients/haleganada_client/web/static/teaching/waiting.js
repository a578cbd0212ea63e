// What waits for the server, below the slate: the labels of the drawings, and what the server refused.

import { say } from "../i18n/words.js";
import { getById, makeButton, makeElement } from "../ui/dom.js";

const SHOWN = 12;

/** Show what waits, and let what was refused be discarded.
 * @param {import("./outbox.js").Outbox} outbox
 */
export async function showWaiting(outbox) {
  const all = await outbox.list();
  const refused = all.filter(({ problem }) => problem);
  const waiting = all.filter(({ problem }) => !problem);
  const lines = [];
  if (waiting.length) {
    lines.push(makeElement("p", {}, say("waiting", { count: waiting.length, labels: listLabels(waiting) })));
  }
  if (refused.length) {
    const words = say("waitingRefused", { labels: listLabels(refused), error: refused[0].problem });
    const discard = () => outbox.discard(refused.map(({ key }) => key));
    lines.push(makeElement("p", {}, words, " ", makeButton(say("discard"), discard, { class: "link" })));
  }
  getById("waiting").replaceChildren(...lines);
  getById("waiting").hidden = !lines.length;
}

/** @param {import("./waiting_store.js").WaitingLesson[]} lessons */
function listLabels(lessons) {
  const labels = lessons.map(({ body }) => body.label);
  return labels.slice(0, SHOWN).join(" ") + (labels.length > SHOWN ? " …" : "");
}
