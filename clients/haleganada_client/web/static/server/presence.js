// Says when the server does not answer, asks until it does, and then lets the page catch up.

import { getById } from "../ui/dom.js";
import { clearError } from "../ui/status.js";
import { get, server } from "./api.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 4000;

/** Show a banner as long as the server does not answer.
 * @param {() => void} onReturn  called when it answers again
 */
export function watchServer(onReturn) {
  let isLost = false;

  server.addEventListener("lost", () => {
    if (isLost) return;
    isLost = true;
    getById("lost").hidden = false;
    retry(FIRST_PAUSE_MS);
  });

  server.addEventListener("found", () => {
    if (!isLost) return;
    isLost = false;
    getById("lost").hidden = true;
    clearError();
    onReturn();
  });

  /** @param {number} pause  ms */
  function retry(pause) {
    setTimeout(async () => {
      await get("/api/health").catch(() => {});
      if (isLost) retry(Math.min(LONGEST_PAUSE_MS, 1.5 * pause));
    }, pause);
  }
}
