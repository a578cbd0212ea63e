// How far a network that learns along with a workspace has come, in words; `online` as the SDK's OnlineStatus.

import { count, say } from "./words.js";

export const isLearning = (online) => online.samples_left > 0 || online.rebuilding;

export const canAnswer = (online) => !online.failure && online.revision !== null && online.labels_known > 0;

export function learnsHow(online) {
  if (online.failure) return say("learnsNot");
  if (online.revision === null) return say(isLearning(online) ? "learnsWaiting" : "learnsFirst");
  if (online.rebuilding) return say("learnsAgain");
  return say(online.samples_left > 0 ? "learnsNew" : "learnsAll");
}

export const learnedOf = ({ samples_learned: learned, samples_left: left }) => say("learnedLeft", { learned: count(learned), left: count(left) });
