// Drawings that may be mislabeled or were taught twice, each beside what it looks like: keep it, relabel it, or forget it.

import { say } from "../i18n/words.js";
import { get, getWorkspace } from "../server/api.js";
import { postIfAsShown } from "../server/guard.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { buildColumn } from "../ui/parts.js";
import { settings } from "../ui/storage.js";
import { buildPicture, findDrawing } from "./evidence.js";
import { openSample } from "./sample.js";

const MOST_KEPT = 500; // answers that a browser remembers

/**
 * @typedef {object} Suspect  A drawing, and what it is shown beside.
 * @property {number} id
 * @property {string} label
 * @property {number | undefined} otherId  a drawing of the other label
 * @property {string} other  the label that it may be; its own, if it was taught twice
 * @property {string} text
 */

/** @type {{ workspace: string, suspects: Suspect[] } | null} */
let found = null; // what the last look found and nobody has answered

let refill = () => {}; // of the section that was built last: the panel may be shown anew while the server looks

/** Build the section. Looking takes the server a while, so it waits to be asked.
 * @param {Undoable} change
 */
export function buildSuspects(change) {
  const section = makeElement("section", { class: "suspects" });
  const look = async () => {
    section.querySelector("button")?.setAttribute("disabled", "");
    try {
      found = { workspace: getWorkspace(), suspects: listSuspects(await get("/page/stats", { suspects: 1 })) };
    } finally {
      refill();
    }
  };
  const fill = () => {
    const isOurs = found?.workspace === getWorkspace();
    const rows = isOurs ? (found?.suspects ?? []).map((suspect) => buildRow(suspect, change)) : [];
    const title = makeElement("h3", {}, say("suspectsTitle"));
    const control = makeButton(say(isOurs ? "findSuspectsAgain" : "findSuspects"), look);
    const note = makeElement("p", { class: "note" }, say("keptHere"));
    if (!isOurs) section.replaceChildren(title, control);
    else {
      const { children } = buildColumn("suspectsTitle", rows, "suspectsNone");
      section.replaceChildren(...children, ...(rows.length ? [note] : []), control);
    }
  };
  refill = fill;
  fill();
  return section;
}

/** @param {Stats} stats
 * @returns {Suspect[]} */
function listSuspects({ suspects, near_duplicates: duplicates }) {
  const kept = new Set(readKept());
  return [
    ...suspects.map(({ sample_id: id, label, looks_like: other }) => ({
      id,
      label,
      otherId: findDrawing(other),
      other,
      text: say("suspect", { id, label, other }),
    })),
    ...duplicates.map(({ sample_id: id, label, other_sample_id: otherId, other_label: other }) => ({
      id,
      label,
      otherId,
      other,
      text: say("twice", { id, label, older: otherId, other }),
    })),
  ].filter((suspect) => !kept.has(nameAnswer(suspect)));
}

/**
 * @param {Suspect} suspect
 * @param {Undoable} change
 */
function buildRow(suspect, change) {
  const { id, label, otherId, other, text } = suspect;
  const keep = () => {
    writeKept(nameAnswer(suspect));
    remove((one) => one === suspect);
    refill();
  };
  const isAsShown = async () => (await get(`/page/samples/${id}`)).label === label;
  const settle = async (/** @type {string} */ path, /** @type {object} */ body) => {
    const answer = await postIfAsShown(path, body, isAsShown);
    remove((one) => one.id === id || one.otherId === id); // the page shows the section anew after a change
    return { revision: answer.workspace_revision ?? answer.revision };
  };
  const relabel = () =>
    change(
      () => settle(`/page/samples/${id}/relabel`, { label: other }),
      say("relabeled", { label: other }),
      buildPicture(id),
    );
  const forget = () => change(() => settle(`/page/samples/${id}/forget`, {}), say("forgotten"), buildPicture(id));
  return makeElement(
    "li",
    { class: "suspect" },
    makeElement("div", { class: "pictures" }, buildExhibit(id, label, change), buildExhibit(otherId, other, change)),
    makeElement("p", {}, text),
    makeElement(
      "div",
      { class: "row wrap" },
      makeButton(say("keepSuspect"), keep),
      other !== label && makeButton(say("relabelAs", { label: other }), relabel),
      makeButton(say("forgetSuspect"), forget, { class: "danger" }),
    ),
  );
}

/**
 * @param {number | undefined} id
 * @param {string} label
 * @param {Undoable} change
 */
function buildExhibit(id, label, change) {
  const name = id === undefined ? label : say("sampleName", { id, label });
  return makeElement(
    "figure",
    {},
    id !== undefined
      && makeButton(buildPicture(id, { side: 72 }), () => openSample(id, change), {
        class: "mini",
        title: name,
        "aria-label": name,
      }),
    makeElement("figcaption", { class: "script" }, label),
  );
}

/** @param {(suspect: Suspect) => boolean} isAnswered */
function remove(isAnswered) {
  if (found) found.suspects = found.suspects.filter((suspect) => !isAnswered(suspect));
}

/** Name what “Keep” answers: a drawing that gets another label is asked about again.
 * @param {Suspect} suspect
 */
const nameAnswer = ({ id, label, other }) => [getWorkspace(), id, label, other].join("\n");

/** @returns {string[]} */
const readKept = () => JSON.parse(settings.get("kept") ?? "[]");

/** @param {string} name */
const writeKept = (name) => settings.set("kept", JSON.stringify([...readKept(), name].slice(-MOST_KEPT)));
