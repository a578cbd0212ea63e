// The state of a job.

import { formatDuration, say } from "../i18n/words.js";
import { makeElement } from "../ui/dom.js";
import { joinFacts } from "../ui/parts.js";

const STATE_WORDS = /** @type {const} */ ({
  queued: "stateQueued",
  running: "stateRunning",
  succeeded: "stateSucceeded",
  failed: "stateFailed",
  cancelled: "stateCancelled",
});

/** @type {Record<string, import("../i18n/words.js").Word>} */
const STAGE_WORDS = {
  training: "stageTraining",
  preparing: "stagePreparing",
  measuring: "stageMeasuring",
  exporting: "stageExporting",
  evaluating: "stageMeasuring",
  teaching: "stageTeaching",
  drawing: "stageDrawing",
  waiting: "stateQueued",
};

/** Return whether a job has ended.
 * @param {Job} job
 */
export const isOver = (job) => ["succeeded", "failed", "cancelled"].includes(job.state);

/** Show the state; a job that was cancelled and finishes says so.
 * @param {Job} job
 */
export const buildStateBadge = ({ state, cancelling }) =>
  makeElement("span", { class: "state", "data-state": state }, say(cancelling ? "stateEnding" : STATE_WORDS[state]));

/** Return what a job is about.
 * @param {Job} job
 */
export const describeJob = ({ training, evaluation }) =>
  training?.model_name ?? say("measuring", { names: evaluation?.models.map(({ name }) => name).join(", ") });

/** Return what a job is doing and how long it will take.
 * @param {Job} job
 */
export function describeActivity({ progress: { stage, eta_seconds: eta, message } }) {
  const doing = STAGE_WORDS[stage] ? say(STAGE_WORDS[stage]) : stage;
  return joinFacts(doing, eta > 0 && say("timeLeft", { time: formatDuration(eta) }), message);
}
