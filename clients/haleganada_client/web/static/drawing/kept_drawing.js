// The drawing outlives a reload and a visit to another page, in its tab and its workspace.

import { getWorkspace } from "../server/api.js";
import { tab } from "../ui/storage.js";

const NAME = "drawing";

/** Keep what is on the slate from now on, and put back what was kept.
 * @param {import("./board.js").Board} board
 */
export async function keepDrawing(board) {
  const kept = tab.get(NAME);
  const keep = () => tab.set(NAME, JSON.stringify({ workspace: getWorkspace(), ...board.pack() }));
  board.addEventListener("stroke", keep);
  board.addEventListener("change", keep);
  window.addEventListener("pagehide", keep); // it may have gone to another workspace
  if (!kept) return;
  const { workspace, ...packed } = JSON.parse(kept);
  if (workspace === getWorkspace()) await board.unpack(packed).catch(() => {}); // a picture that is none any more
}
