// One job: how far it is while it runs, what came of it when it is over.

import { count, duration, moment, say, size } from "../i18n/words.js";
import { currentWorkspace, get, post, url } from "../server/api.js";
import { explain } from "../server/errors.js";
import { poll } from "../server/polling.js";
import { deleteIfSure } from "../ui/deletion.js";
import { button, element } from "../ui/dom.js";
import { backLink, goTo, link, viewOf, whenShown } from "../ui/navigation.js";
import { factList, joinFacts, meter, numbers, problem, share } from "../ui/parts.js";
import { showError, showStatus } from "../ui/status.js";
import { Curves } from "./curves.js";
import { evaluationReport, modelOfFile } from "./evaluation_report.js";
import { describeSettings } from "./settings.js";
import { activity, isOver, stateBadge, titleOf } from "./state.js";

const PAUSE_MS = 1000;

/** @type {ShowView} */
export async function showJob(view, id, life) {
  /** @returns {Promise<Job>} */
  const ask = () => get(`/page/jobs/${encodeURIComponent(id)}`);
  const job = await ask();
  const live = new LiveJob(job);
  view.replaceChildren(backLink("jobs", "jobs"), live.node);
  whenShown(view, () => live.show(job));
  if (isOver(job)) return;
  const look = async () => {
    const latest = await ask();
    if (life.aborted) return false;
    live.show(latest);
    return !isOver(latest);
  };
  poll(look, PAUSE_MS, life);
}

/** The parts of a job that change, each filled anew only where something has changed. */
class LiveJob {
  #state = element("span");
  #progress = new Progress();
  #metrics = element("div");
  #plots = element("div", { class: "plots" });
  #outcome = element("div", { class: "stack" });
  /** @type {Curves | null} */
  #curves = null;
  #shownState = "";
  #shownEpoch = "";

  /** @param {Job} job */
  constructor(job) {
    this.node = element(
      "div",
      { class: "stack" },
      element("div", { class: "heading" }, element("h3", {}, titleOf(job)), this.#state),
      element("p", { class: "note" }, requestOf(job)),
      this.#progress.node,
      this.#metrics,
      this.#plots,
      this.#outcome,
    );
  }

  /** @param {Job} job */
  show(job) {
    this.#state.replaceChildren(stateBadge(job));
    const epochs = job.training?.epochs ?? [];
    const epoch = JSON.stringify(epochs.at(-1) ?? "");
    if (epochs.length && this.#shownEpoch !== epoch) {
      this.#shownEpoch = epoch;
      this.#curves ??= new Curves(this.#plots);
      this.#curves.show(epochs);
      this.#metrics.replaceChildren(metrics(epochs));
    }
    if (this.#shownState !== job.state) {
      this.#shownState = job.state;
      this.#outcome.replaceChildren(...outcome(job));
      this.#progress.node.replaceChildren();
      window.dispatchEvent(new Event("jobs"));
    }
    if (!isOver(job)) this.#progress.show(job);
  }
}

/** How far a job is, and the button that cancels it. */
class Progress {
  node = element("div", { class: "progress" });
  #bar = meter(0, 0, say("progress"));
  #text = element("p", { class: "note", id: "doing" });
  #cancel = button(say("cancelJob"), () => {}, { id: "cancel-job" });

  /** @param {Job} job  one that is not over */
  show(job) {
    if (!this.node.children.length) {
      this.#cancel.onclick = () => cancel(job, this.#cancel);
      this.node.append(element("div", { class: "row" }, this.#bar, this.#cancel), this.#text);
    }
    if (job.cancelling) this.#cancel.disabled = true;
    const { done, total } = job.progress;
    if (job.state === "running" && total) {
      this.#bar.max = total;
      this.#bar.value = done;
    } else {
      this.#bar.removeAttribute("value");
    }
    this.#text.textContent = job.state === "queued" ? say("queuedNote") : activity(job);
  }
}

/**
 * @param {Job} job
 * @param {HTMLButtonElement} control
 */
async function cancel(job, control) {
  control.disabled = true;
  try {
    await post(`/page/jobs/${job.job_id}/cancel`, {});
    showStatus(say(job.training ? "cancelling" : "cancellingMeasuring"));
  } catch (error) {
    control.disabled = false;
    showError(error);
  }
}

/** Return what the job was asked for.
 * @param {Job} job
 */
function requestOf({ training, evaluation, create_time: created }) {
  return joinFacts(
    training?.preset,
    (training ?? evaluation)?.dataset_name,
    training && describeSettings(training.requested_settings),
    evaluation?.quick && say("quick"),
    moment(created),
  );
}

/** @param {EpochMetrics[]} epochs  at least one */
function metrics(epochs) {
  const best = epochs.reduce((found, epoch) => (isBetter(epoch, found) ? epoch : found));
  const last = epochs[epochs.length - 1];
  return numbers([
    [last.epoch, "epoch"],
    [share(best.validation_accuracy), "bestAccuracy"],
    [best.epoch, "bestEpoch"],
    [duration(last.duration_seconds), "epochTime"],
  ]);
}

/** Compare epochs as the server does when it chooses the state to keep: at equal accuracy, the lower loss is better.
 * @param {EpochMetrics} one
 * @param {EpochMetrics} other
 */
function isBetter(one, other) {
  if (one.validation_accuracy !== other.validation_accuracy) return one.validation_accuracy > other.validation_accuracy;
  return one.validation_loss <= other.validation_loss;
}

/** Return what came of a job, nothing while it is not over.
 * @param {Job} job
 */
function outcome(job) {
  if (!isOver(job)) return [];
  const { job_id: id, state, error, error_reason: reason, training, evaluation } = job;
  const note = say(training?.model_id ? "cancelledKept" : "cancelledNothing");
  return [
    error !== "" && problem(explain({ message: error, reason })),
    state === "cancelled" && element("p", { class: "note" }, note),
    evaluation?.result && evaluationReport(job, evaluation.result),
    training && trainingActions(id, training),
    fileList(job),
    factList([
      [say("took"), elapsed(job)],
      [say("settingsUsed"), describeSettings(training?.settings ?? {})],
      [say("jobNumber"), element("code", {}, id)],
    ]),
    element(
      "div",
      { class: "row end" },
      button(say("deleteJob"), () => remove(job), { class: "danger", id: "delete-job" }),
    ),
  ].filter((part) => part instanceof HTMLElement);
}

/** @param {Job} job */
function elapsed({ start_time: start, end_time: end }) {
  return start && end ? duration((new Date(end).getTime() - new Date(start).getTime()) / 1000) : null;
}

/**
 * @param {string} id  of the job
 * @param {TrainingJob} training
 */
function trainingActions(id, training) {
  const hasModel = training.model_id !== "";
  return element(
    "div",
    { class: "row wrap" },
    hasModel && useButton(training),
    hasModel && link(say("models"), "models", { class: "button" }),
    link(say("trainAgain"), viewOf("again", id), { class: "button" }),
  );
}

/** @param {TrainingJob} training */
function useButton({ model_id: id, model_name: name }) {
  const workspace = currentWorkspace();
  const use = async () => {
    try {
      await post(`/page/models/${id}/activate`, {});
      showStatus(say("nowAnswers", { workspace, name }));
      control.disabled = true;
    } catch (error) {
      showError(error);
    }
  };
  const control = button(say("useIn", { workspace }), use, { class: "primary", id: "use-model" });
  return control;
}

/** @param {Job} job */
function fileList(job) {
  if (!job.files.length) return null;
  const entries = job.files.map(({ name, size_bytes: bytes }) => {
    const address = url(`/page/jobs/${job.job_id}/files/${encodeURIComponent(name)}`);
    const about = element("small", {}, joinFacts(modelOfFile(job, name), size(bytes)));
    return element("li", {}, element("a", { href: address, target: "_blank" }, name), " ", about);
  });
  return element(
    "details",
    {},
    element("summary", {}, say("files", { count: count(entries.length) })),
    element("ul", { class: "files" }, entries),
  );
}

/** @param {Job} job */
function remove(job) {
  const done = (/** @type {string} */ message) => goTo("jobs", message);
  return deleteIfSure({ path: `/page/jobs/${job.job_id}`, name: titleOf(job), text: say("deleteJobText"), done });
}
