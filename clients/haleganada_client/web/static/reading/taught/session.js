// What must outlive a view of a page: another language, a server that was away and another page come in between.

import { Corrections } from "./answers/corrections.js";
import { Place } from "./place.js";

/**
 * @typedef {object} Session
 * @property {Corrections} corrections
 * @property {Place} place
 * @property {string} typed  and not said yet
 * @property {boolean} isNew
 */

/** @type {Map<string, Session>} */
const sessions = new Map();

/** Return the session of a page, begun now or earlier.
 * @param {string} address
 * @param {PageReading} page  as it reads now
 * @returns {Session}
 */
export function openSession(address, page) {
  const known = sessions.get(address);
  if (known) {
    known.corrections.take(page);
    known.place.renew(known.corrections.glyphs);
    known.isNew = false;
    return known;
  }
  const corrections = new Corrections(address, page);
  const session = { corrections, place: new Place(corrections.glyphs), typed: "", isNew: true };
  sessions.set(address, session);
  return session;
}

window.addEventListener("beforeunload", (event) => {
  if ([...sessions.values()].some(({ corrections }) => corrections.pending)) event.preventDefault();
});
