// One job: how far it is while it runs, what came of it when it is over.

import { currentWorkspace, get, post, url } from "../api.js";
import { button, element } from "../dom.js";
import { poll } from "../polling.js";
import { report, tell } from "../status.js";
import { count, moment, say, size } from "../words.js";
import { Curves } from "./curves.js";
import { deleteAsked } from "./deleting.js";
import { doing, titleOf } from "./jobs.js";
import { back, duration, facts, goTo, isOver, link, meter, numbers, place, problem, share, state, whenShown } from "./parts.js";
import { evaluation, modelOf } from "./report.js";

const PAUSE_MS = 1000;

export async function showJob(view, id, life) {
  const ask = () => get(`/page/jobs/${encodeURIComponent(id)}`);
  const job = await ask();
  const live = new LiveJob(job);
  view.replaceChildren(back("jobs", "jobs"), live.node);
  whenShown(view, () => live.show(job));
  if (isOver(job)) return;
  poll(async () => {
    const now = await ask();
    if (life.aborted) return false;
    live.show(now);
    return !isOver(now);
  }, PAUSE_MS, life);
}

// The parts of a job that change, each filled anew only where something has changed.
class LiveJob {
  #state = element("span");
  #progress = element("div", { class: "progress" });
  #figures = element("div");
  #plots = element("div", { class: "plots" });
  #outcome = element("div", { class: "stack" });
  #curves = null;
  #shown = ""; // the state
  #epochs = ""; // the last one

  constructor(job) {
    const heading = element("div", { class: "heading" }, element("h3", {}, titleOf(job)), this.#state);
    this.node = element("div", { class: "stack" }, heading, element("p", { class: "note" }, settingsOf(job)), this.#progress, this.#figures, this.#plots, this.#outcome);
  }

  show(job) {
    this.#state.replaceChildren(state(job));
    const epochs = job.training?.epochs ?? [];
    if (epochs.length && this.#epochs !== JSON.stringify(epochs.at(-1))) {
      this.#epochs = JSON.stringify(epochs.at(-1));
      this.#curves ??= new Curves(this.#plots);
      this.#curves.show(epochs);
      this.#figures.replaceChildren(figures(epochs));
    }
    if (this.#shown !== job.state) {
      this.#shown = job.state;
      this.#outcome.replaceChildren(...outcome(job));
      this.#progress.replaceChildren();
      window.dispatchEvent(new Event("jobs"));
    }
    if (!isOver(job)) this.#showProgress(job);
  }

  #showProgress(job) {
    const { done, total } = job.progress;
    if (!this.#progress.children.length) {
      const cancel = button(say("cancelJob"), () => cancelJob(job, cancel), { id: "cancel-job" });
      this.#progress.append(element("div", { class: "row" }, meter(0, 0, say("progress")), cancel), element("p", { class: "note", id: "doing" }));
    }
    if (job.cancelling) this.#progress.querySelector("#cancel-job").disabled = true;
    const bar = this.#progress.querySelector("progress");
    if (job.state === "running" && total) [bar.max, bar.value] = [total, done];
    else bar.removeAttribute("value");
    this.#progress.querySelector("#doing").textContent = job.state === "queued" ? say("queuedNote") : doing(job);
  }
}

// Settings that are null were left to the preset.
const listed = (settings) => Object.entries(settings ?? {}).filter(([, value]) => value !== null)
  .map(([name, value]) => `${name.replaceAll("_", " ")}: ${value}`).join(" · ");

function settingsOf({ training, evaluation, create_time: made }) {
  const about = training ? [training.preset, training.dataset_name, listed(training.requested_settings)] : [evaluation.dataset_name, evaluation.quick && say("quick")];
  return [...about, moment(made)].filter(Boolean).join(" · ");
}

// As the server chooses the state that it keeps: of equal accuracies that with the lower loss.
const isBetter = (one, other) => one.validation_accuracy > other.validation_accuracy
  || (one.validation_accuracy === other.validation_accuracy && one.validation_loss <= other.validation_loss);

function figures(epochs) {
  const best = epochs.reduce((found, one) => (isBetter(one, found) ? one : found));
  const last = epochs.at(-1);
  return numbers([[last.epoch, "epoch"], [share(best.validation_accuracy), "bestAccuracy"], [best.epoch, "bestEpoch"], [duration(last.duration_seconds), "epochTime"]]);
}

async function cancelJob(job, control) {
  control.disabled = true;
  try {
    await post(`/page/jobs/${job.job_id}/cancel`, {});
    tell(say(job.training ? "cancelling" : "cancellingMeasuring"));
  } catch (error) {
    control.disabled = false;
    report(error);
  }
}

function outcome(job) {
  if (!isOver(job)) return [];
  const { training, start_time: start, end_time: end } = job;
  const model = training?.model_id;
  const again = training && link(say("trainAgain"), place("again", job.job_id), { class: "button" });
  const parts = [job.error && problem(job.error), job.state === "cancelled" && element("p", { class: "note" }, say(model ? "cancelledKept" : "cancelledNothing"))];
  if (job.evaluation?.result) parts.push(evaluation(job));
  if (training) parts.push(element("div", { class: "row wrap" }, model && useButton(training), model && link(say("models"), "models", { class: "button" }), again));
  const took = start && end ? duration((new Date(end) - new Date(start)) / 1000) : null;
  const forget = element("div", { class: "row end" }, button(say("deleteJob"), () => remove(job), { class: "danger", id: "delete-job" }));
  return [...parts, files(job), facts([[say("took"), took], [say("settingsUsed"), listed(training?.settings)], [say("jobNumber"), element("code", {}, job.job_id)]]), forget].filter(Boolean);
}

function remove(job) {
  return deleteAsked(`/page/jobs/${job.job_id}`, titleOf(job), say("deleteJobText"), (message) => goTo("jobs", message));
}

function useButton(training) {
  const use = async () => {
    try {
      await post(`/page/models/${training.model_id}/activate`, {});
      tell(say("nowAnswers", { workspace: currentWorkspace(), name: training.model_name }));
      control.disabled = true;
    } catch (error) {
      report(error);
    }
  };
  const control = button(say("useIn", { workspace: currentWorkspace() }), use, { class: "primary", id: "use-model" });
  return control;
}

function files(job) {
  if (!job.files.length) return null;
  const about = (name, bytes) => [modelOf(job, name), size(bytes)].filter(Boolean).join(" · ");
  const entry = ({ name, size_bytes: bytes }) => element("li", {}, element("a", { href: url(`/page/jobs/${job.job_id}/files/${encodeURIComponent(name)}`), target: "_blank" }, name), " ", element("small", {}, about(name, bytes)));
  return element("details", {}, element("summary", {}, say("files", { count: count(job.files.length) })), element("ul", { class: "files" }, job.files.map(entry)));
}
