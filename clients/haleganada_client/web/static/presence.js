// Says when the server does not answer, asks until it does, and then lets the page catch up.

import { get, server } from "./api.js";
import { byId } from "./dom.js";
import { forgetRefusal } from "./status.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 4000;

export function watchServer(onReturn) {
  let lost = false;

  server.addEventListener("lost", () => {
    if (lost) return;
    lost = true;
    byId("lost").hidden = false;
    retry(FIRST_PAUSE_MS);
  });

  server.addEventListener("found", () => {
    if (!lost) return;
    lost = false;
    byId("lost").hidden = true;
    forgetRefusal();
    onReturn();
  });

  function retry(pause) {
    setTimeout(async () => {
      await get("/api/health").catch(() => {});
      if (lost) retry(Math.min(LONGEST_PAUSE_MS, 1.5 * pause));
    }, pause);
  }
}
