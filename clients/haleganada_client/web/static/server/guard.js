// Changes of what the reader looks at: nobody else's change is overwritten unseen.

import { ServerError, get, post } from "./api.js";

const TRIES = 4; // others may teach between looking and changing
const MOVED_ON = { reason: "REVISION_MISMATCH" };

/** Change something, unless it is no longer what the reader sees; what else has changed meanwhile does not matter. Raises
 * ServerError, with the reason REVISION_MISMATCH if it has changed.
 * @param {string} path
 * @param {object} body
 * @param {() => Promise<boolean>} isAsShown  asks the server
 * @returns {Promise<any>}
 */
export async function postIfAsShown(path, body, isAsShown) {
  for (let left = TRIES; ; left--) {
    /** @type {SamplePage} */
    const { revision } = await get("/page/samples", { page_size: 1 });
    if (!(await isAsShown())) throw new ServerError(MOVED_ON, 409);
    try {
      return await post(path, { ...body, expected_revision: revision });
    } catch (error) {
      if (error.reason !== MOVED_ON.reason || left === 1) throw error;
    }
  }
}
