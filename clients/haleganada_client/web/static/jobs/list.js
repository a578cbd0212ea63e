// Training and evaluation jobs, the newest first; those that run move on before one's eyes.

import { moment, say } from "../i18n/words.js";
import { get } from "../server/api.js";
import { explain } from "../server/errors.js";
import { poll } from "../server/polling.js";
import { element } from "../ui/dom.js";
import { link, viewOf } from "../ui/navigation.js";
import { joinFacts, meter } from "../ui/parts.js";
import { activity, isOver, stateBadge, titleOf } from "./state.js";

const PAUSE_MS = 2000;

/** @type {ShowView} */
export async function showJobs(view, _, life) {
  const list = element("div", { class: "jobs" });
  const look = async () => {
    /** @type {Job[]} */
    const jobs = await get("/page/jobs");
    if (life.aborted) return false;
    const isEmpty = !jobs.length;
    list.replaceChildren(
      isEmpty ? element("p", { class: "empty" }, say("jobsEmpty")) : element("ul", { class: "kept" }, jobs.map(row)),
    );
    return true;
  };
  await look();
  const note = element("p", { class: "note" }, say("jobsNote"));
  const train = link(say("newTraining"), "train", { class: "button primary" });
  view.replaceChildren(element("div", { class: "heading" }, note, train), list);
  poll(look, PAUSE_MS, life);
}

/** @param {Job} job */
function row(job) {
  const { training, evaluation, create_time: created, state, progress, error, error_reason: reason } = job;
  const about = joinFacts(training?.preset, (training ?? evaluation)?.dataset_name, moment(created));
  const isRunning = state === "running";
  return element(
    "li",
    {},
    element(
      "div",
      { class: "job" },
      link(titleOf(job), viewOf("job", job.job_id), { class: "title" }),
      element("small", {}, about),
      isRunning && meter(progress.done, progress.total, say("progress")),
      isRunning && element("small", {}, activity(job)),
      isOver(job) && error !== "" && element("small", { class: "warning" }, explain({ message: error, reason })),
    ),
    stateBadge(job),
  );
}
