// How well each label went in earlier practice, so that what went wrong comes first the next time (Leitner's boxes).

import { getWorkspace } from "../server/api.js";
import { settings } from "../ui/storage.js";

const BEST = 5;

/** Sort labels for practice: those that went wrong last first, those that went right most often last.
 * @param {string[]} labels
 */
export function sortByNeed(labels) {
  const levels = readLevels();
  const isNew = (/** @type {string} */ label) => levels[label] ?? 1;
  return [...labels].sort((a, b) => isNew(a) - isNew(b));
}

/** Remember how a label went.
 * @param {string} label
 * @param {boolean} isRight
 */
export function rememberPractice(label, isRight) {
  const levels = readLevels();
  levels[label] = isRight ? Math.min(BEST, (levels[label] ?? 1) + 1) : 0;
  settings.set(getName(), JSON.stringify(levels));
}

/** @returns {Record<string, number>} */
function readLevels() {
  try {
    return JSON.parse(settings.get(getName()) ?? "{}");
  } catch {
    return {}; // what is there is not ours
  }
}

const getName = () => `practice:${getWorkspace()}`;
