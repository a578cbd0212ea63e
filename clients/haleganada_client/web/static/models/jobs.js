// Trainings and measurements: the newest first, those that run moving on before one's eyes.

import { get } from "../api.js";
import { element } from "../dom.js";
import { poll } from "../polling.js";
import { moment, say } from "../words.js";
import { duration, isOver, link, meter, place, state } from "./parts.js";

const PAUSE_MS = 2000;

export async function showJobs(view, _, life) {
  const list = element("div", { class: "jobs" });
  const look = async () => {
    const jobs = await get("/page/jobs");
    if (life.aborted) return false;
    list.replaceChildren(jobs.length ? element("ul", { class: "kept" }, jobs.map(row)) : element("p", { class: "empty" }, say("jobsEmpty")));
    return true;
  };
  await look();
  view.replaceChildren(element("div", { class: "heading" }, element("p", { class: "note" }, say("jobsNote")), link(say("newTraining"), "train", { class: "button primary" })), list);
  poll(look, PAUSE_MS, life);
}

// What a job is about, in words.
export function titleOf({ training, evaluation }) {
  return training ? training.model_name : say("measuring", { names: evaluation.models.map(({ name }) => name).join(", ") });
}

// What it does now and how long it will take.
export function doing({ progress }) {
  const { stage, eta_seconds: eta, message } = progress;
  const stages = { training: "stageTraining", preparing: "stagePreparing", measuring: "stageMeasuring", exporting: "stageExporting", evaluating: "stageMeasuring", teaching: "stageTeaching", drawing: "stageDrawing", waiting: "stateQueued" };
  return [stages[stage] ? say(stages[stage]) : stage, eta > 0 && say("timeLeft", { time: duration(eta) }), message].filter(Boolean).join(" · ");
}

function row(job) {
  const about = [job.training?.preset, (job.training ?? job.evaluation).dataset_name, moment(job.create_time)];
  const going = job.state === "running" && [meter(job.progress.done, job.progress.total, say("progress")), element("small", {}, doing(job))];
  return element("li", {}, element("div", { class: "job" }, link(titleOf(job), place("job", job.job_id), { class: "title" }),
    element("small", {}, about.filter(Boolean).join(" · ")), going, !isOver(job) || !job.error ? null : element("small", { class: "warning" }, job.error)), state(job));
}
