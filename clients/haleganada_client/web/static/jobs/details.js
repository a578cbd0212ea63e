// One job: how far it is while it runs, what came of it when it is over.

import { formatCount, formatDuration, formatSize, formatTime, say } from "../i18n/words.js";
import { get, getWorkspace, makeUrl, post } from "../server/api.js";
import { explain } from "../server/errors.js";
import { poll } from "../server/polling.js";
import { deleteIfSure } from "../ui/deletion.js";
import { makeButton, makeElement } from "../ui/dom.js";
import { goTo, makeBackLink, makeLink, nameView, runWhenShown } from "../ui/navigation.js";
import { buildFactList, buildMeter, buildNumbers, buildProblem, formatShare, joinFacts } from "../ui/parts.js";
import { showError, showStatus } from "../ui/status.js";
import { Curves } from "./curves.js";
import { buildEvaluationReport, findModelOfFile } from "./evaluation_report.js";
import { describeSettings } from "./settings.js";
import { buildStateBadge, describeActivity, describeJob, isOver } from "./state.js";

const PAUSE_MS = 1000;

/** @type {ShowView} */
export async function showJob(view, id, life) {
  /** @returns {Promise<Job>} */
  const ask = () => get(`/page/jobs/${encodeURIComponent(id)}`);
  const job = await ask();
  const live = new LiveJob(job);
  view.replaceChildren(makeBackLink("jobs", "jobs"), live.node);
  runWhenShown(view, () => live.show(job));
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
  #state = makeElement("span");
  #progress = new Progress();
  #metrics = makeElement("div");
  #plots = makeElement("div", { class: "plots" });
  #outcome = makeElement("div", { class: "stack" });
  /** @type {Curves | null} */
  #curves = null;
  #shownState = "";
  #shownEpoch = "";

  /** @param {Job} job */
  constructor(job) {
    this.node = makeElement(
      "div",
      { class: "stack" },
      makeElement("div", { class: "heading" }, makeElement("h3", {}, describeJob(job)), this.#state),
      makeElement("p", { class: "note" }, describeRequest(job)),
      this.#progress.node,
      this.#metrics,
      this.#plots,
      this.#outcome,
    );
  }

  /** @param {Job} job */
  show(job) {
    this.#state.replaceChildren(buildStateBadge(job));
    const epochs = job.training?.epochs ?? [];
    const epoch = JSON.stringify(epochs.at(-1) ?? "");
    if (epochs.length && this.#shownEpoch !== epoch) {
      this.#shownEpoch = epoch;
      this.#curves ??= new Curves(this.#plots);
      this.#curves.show(epochs);
      this.#metrics.replaceChildren(buildMetrics(epochs));
    }
    if (this.#shownState !== job.state) {
      this.#shownState = job.state;
      this.#outcome.replaceChildren(...buildOutcome(job));
      this.#progress.node.replaceChildren();
      window.dispatchEvent(new Event("jobs"));
    }
    if (!isOver(job)) this.#progress.show(job);
  }
}

/** How far a job is, and the button that cancels it. */
class Progress {
  node = makeElement("div", { class: "progress" });
  #bar = buildMeter(0, 0, say("progress"));
  #text = makeElement("p", { class: "note", id: "doing" });
  #cancel = makeButton(say("cancelJob"), () => {}, { id: "cancel-job" });

  /** @param {Job} job  one that is not over */
  show(job) {
    if (!this.node.children.length) {
      this.#cancel.onclick = () => cancel(job, this.#cancel);
      this.node.append(makeElement("div", { class: "row" }, this.#bar, this.#cancel), this.#text);
    }
    if (job.cancelling) this.#cancel.disabled = true;
    const { done, total } = job.progress;
    if (job.state === "running" && total) {
      this.#bar.max = total;
      this.#bar.value = done;
    } else {
      this.#bar.removeAttribute("value");
    }
    this.#text.textContent = job.state === "queued" ? describeWaiting(job) : describeActivity(job);
  }
}

/** @param {Job} job */
function describeWaiting({ queue_position: place }) {
  return place > 1 ? `${say("queuedNote")} ${say("queuedAt", { place })}` : say("queuedNote");
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
function describeRequest({ training, evaluation, create_time: created }) {
  return joinFacts(
    training?.preset,
    (training ?? evaluation)?.dataset_name,
    training && describeSettings(training.requested_settings),
    evaluation?.quick && say("quick"),
    formatTime(created),
  );
}

/** @param {EpochMetrics[]} epochs  at least one */
function buildMetrics(epochs) {
  const best = epochs.reduce((found, epoch) => (isBetter(epoch, found) ? epoch : found));
  const last = epochs[epochs.length - 1];
  return buildNumbers([
    [last.epoch, "epoch"],
    [formatShare(best.validation_accuracy), "bestAccuracy"],
    [best.epoch, "bestEpoch"],
    [formatDuration(last.duration_seconds), "epochTime"],
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
function buildOutcome(job) {
  if (!isOver(job)) return [];
  const { job_id: id, state, error, error_reason: reason, training, evaluation } = job;
  const note = say(training?.model_id ? "cancelledKept" : "cancelledNothing");
  return [
    error !== "" && buildProblem(explain({ message: error, reason })),
    state === "cancelled" && makeElement("p", { class: "note" }, note),
    evaluation?.result && buildEvaluationReport(job, evaluation.result),
    training && buildTrainingActions(id, training),
    buildFileList(job),
    buildFactList([
      [say("took"), formatElapsed(job)],
      [say("settingsUsed"), describeSettings(training?.settings ?? {})],
      [say("jobNumber"), makeElement("code", {}, id)],
    ]),
    makeElement(
      "div",
      { class: "row end" },
      makeButton(say("deleteJob"), () => remove(job), { class: "danger", id: "delete-job" }),
    ),
  ].filter((part) => part instanceof HTMLElement);
}

/** @param {Job} job */
function formatElapsed({ start_time: start, end_time: end }) {
  return start && end ? formatDuration((new Date(end).getTime() - new Date(start).getTime()) / 1000) : null;
}

/**
 * @param {string} id  of the job
 * @param {TrainingJob} training
 */
function buildTrainingActions(id, training) {
  const hasModel = training.model_id !== "";
  return makeElement(
    "div",
    { class: "row wrap" },
    hasModel && buildUseButton(training),
    hasModel && makeLink(say("models"), "models", { class: "button" }),
    makeLink(say("trainAgain"), nameView("again", id), { class: "button" }),
  );
}

/** @param {TrainingJob} training */
function buildUseButton({ model_id: id, model_name: name }) {
  const workspace = getWorkspace();
  const use = async () => {
    try {
      await post(`/page/models/${id}/activate`, {});
      showStatus(say("nowAnswers", { workspace, name }));
      control.disabled = true;
    } catch (error) {
      showError(error);
    }
  };
  const control = makeButton(say("useIn", { workspace }), use, { class: "primary", id: "use-model" });
  return control;
}

/** @param {Job} job */
function buildFileList(job) {
  if (!job.files.length) return null;
  const entries = job.files.map(({ name, size_bytes: bytes }) => {
    const address = makeUrl(`/page/jobs/${job.job_id}/files/${encodeURIComponent(name)}`);
    const about = makeElement("small", {}, joinFacts(findModelOfFile(job, name), formatSize(bytes)));
    return makeElement("li", {}, makeElement("a", { href: address, target: "_blank" }, name), " ", about);
  });
  return makeElement(
    "details",
    {},
    makeElement("summary", {}, say("files", { count: formatCount(entries.length) })),
    makeElement("ul", { class: "files" }, entries),
  );
}

/** @param {Job} job */
function remove(job) {
  const done = (/** @type {string} */ message) => goTo("jobs", message);
  return deleteIfSure({ path: `/page/jobs/${job.job_id}`, name: describeJob(job), text: say("deleteJobText"), done });
}
