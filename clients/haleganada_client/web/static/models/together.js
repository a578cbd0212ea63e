// Several models that answer together on the slate: a choice of this browser, for one workspace.

import { getWorkspace } from "../server/api.js";
import { settings } from "../ui/storage.js";

const KEPT = "together";

/** @typedef {{ model_id: string, name: string }} Member */

/** Return the models that answer together here, none if one does alone.
 * @returns {Member[]}
 */
export function findTogether() {
  try {
    const { workspace, members } = JSON.parse(settings.get(KEPT) ?? "{}");
    return workspace === getWorkspace() ? members : [];
  } catch {
    return []; // what is there is not ours
  }
}

/** Let models answer together from now on; none: let the workspace's model answer alone.
 * @param {Member[]} members
 */
export function answerTogether(members) {
  settings.set(KEPT, JSON.stringify({ workspace: getWorkspace(), members }));
}

/** Return the names of models in one line.
 * @param {Member[]} members
 */
export const joinNames = (members) => members.map(({ name }) => name).join(" + ");
