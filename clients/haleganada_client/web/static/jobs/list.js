// Training and evaluation jobs, the newest first; those that run move on before one's eyes.

import { formatTime, say } from "../i18n/words.js";
import { get } from "../server/api.js";
import { explain } from "../server/errors.js";
import { poll } from "../server/polling.js";
import { makeElement } from "../ui/dom.js";
import { makeLink, nameView } from "../ui/navigation.js";
import { buildMeter, joinFacts } from "../ui/parts.js";
import { buildStateBadge, describeActivity, describeJob, isOver } from "./state.js";

const PAUSE_MS = 2000;

/** @type {ShowView} */
export async function showJobs(view, _, life) {
  const list = makeElement("div", { class: "jobs" });
  const look = async () => {
    /** @type {Job[]} */
    const jobs = await get("/page/jobs");
    if (life.aborted) return false;
    const isEmpty = !jobs.length;
    list.replaceChildren(
      isEmpty
        ? makeElement("p", { class: "empty" }, say("jobsEmpty"))
        : makeElement("ul", { class: "kept" }, jobs.map(buildRow)),
    );
    return true;
  };
  await look();
  const note = makeElement("p", { class: "note" }, say("jobsNote"));
  const train = makeLink(say("newTraining"), "train", { class: "button primary" });
  view.replaceChildren(makeElement("div", { class: "heading" }, note, train), list);
  poll(look, PAUSE_MS, life);
}

/** @param {Job} job */
function buildRow(job) {
  const { training, evaluation, create_time: created, state, progress, error, error_reason: reason } = job;
  const about = joinFacts(training?.preset, (training ?? evaluation)?.dataset_name, formatTime(created));
  const isRunning = state === "running";
  return makeElement(
    "li",
    {},
    makeElement(
      "div",
      { class: "job" },
      makeLink(describeJob(job), nameView("job", job.job_id), { class: "title" }),
      makeElement("small", {}, about),
      isRunning && buildMeter(progress.done, progress.total, say("progress")),
      isRunning && makeElement("small", {}, describeActivity(job)),
      isOver(job) && error !== "" && makeElement("small", { class: "warning" }, explain({ message: error, reason })),
    ),
    buildStateBadge(job),
  );
}
