// How far a network that learns along with a workspace has come, in words; `active` as /page/models/active tells.

import { count, say } from "./words.js";

export const isLearning = ({ online, behind }) => behind || online.samples_left > 0 || online.rebuilding;

export const canAnswer = ({ online }) => !online.error && online.revision !== null && online.labels_known > 1;

export function learnsHow(active) {
  const { online } = active;
  if (online.error) return say("learnsNot");
  if (online.revision === null && isLearning(active)) return say("learnsWaiting");
  if (!online.samples_learned && !isLearning(active)) return say("learnsFirst"); // nothing was taught yet
  if (online.rebuilding) return say("learnsAgain");
  return say(isLearning(active) ? "learnsNew" : "learnsAll");
}

export const learnedOf = ({ samples_learned: learned, samples_left: left }) => say("learnedLeft", { learned: count(learned), left: count(left) });
