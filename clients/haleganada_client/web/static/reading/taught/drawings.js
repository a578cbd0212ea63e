// What the labels of a reading's workspace look like, where no font has them: a drawing that was taught with each.

import { get, makeUrl } from "../../server/api.js";
import { makeElement } from "../../ui/dom.js";

const SIDE_PX = 32;

/** Look up the drawings of a workspace.
 * @param {string} workspace
 */
export function findDrawings(workspace) {
  /** @type {Map<string, number>} */
  let newest = new Map();

  /** Look again if a label is new. */
  const load = async (/** @type {string} */ label = "") => {
    if (label && newest.has(label)) return;
    /** @type {Stats} */
    const { labels } = await get("/page/stats", { workspace });
    newest = new Map(labels.map((one) => [one.label, one.newest_sample_id]));
  };
  const build = (/** @type {string} */ label) => {
    const id = newest.get(label);
    const src = makeUrl(`/page/samples/${id}.png`, { workspace });
    const picture = id !== undefined && makeElement("img", { src, alt: "", width: SIDE_PX, height: SIDE_PX });
    return makeElement("span", { class: picture ? "evidence" : "", "aria-hidden": "true" }, picture);
  };
  return { load, build, labels: () => [...newest.keys()] };
}
