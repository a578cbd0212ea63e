// How far a network has come that learns online, in words.

import { formatCount, say } from "../i18n/words.js";

/** Return whether the network still has something to learn.
 * @param {OnlineModel} model
 */
export const isLearning = ({ online, behind }) => behind || online.samples_left > 0 || online.rebuilding;

/** Return whether the network itself answers, and not the few-shot head.
 * @param {OnlineModel} model
 */
export const canAnswer = ({ online }) => !online.error && online.revision !== null && online.labels_known > 1;

/** Return what the network is doing.
 * @param {OnlineModel} model
 */
export function describeLearning(model) {
  const { error, revision, samples_learned: learned, rebuilding } = model.online;
  const learns = isLearning(model);
  if (error) return say("learnsNot");
  if (learns && revision === null) return say("learnsWaiting");
  if (!learns && !learned) return say("learnsFirst"); // nothing was taught yet
  if (rebuilding) return say("learnsAgain");
  return say(learns ? "learnsNew" : "learnsAll");
}

/** Return how many drawings the network has learned.
 * @param {OnlineModel} model
 */
export const describeLearnedCounts = ({ online: { samples_learned: learned, samples_left: left } }) =>
  say("learnedLeft", { learned: formatCount(learned), left: formatCount(left) });
