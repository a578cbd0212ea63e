// A network of the workspace's own that learns online: how far it is, and the form that asks for one.

import { say } from "../i18n/words.js";
import { get, getWorkspace, post } from "../server/api.js";
import { explain } from "../server/errors.js";
import { DEFAULT_REPLAY, REPLAY } from "../server/limits.js";
import { poll } from "../server/polling.js";
import { makeElement } from "../ui/dom.js";
import { findDistinctNames } from "../ui/names.js";
import { buildMeter, buildProblem } from "../ui/parts.js";
import { showStatus } from "../ui/status.js";
import { describeLearnedCounts, describeLearning, isLearning } from "./online_status.js";

const PAUSE_MS = 1000;

/** Show how far a network is, and follow it while there is something to learn and this is on the page.
 * @param {OnlineModel} model
 * @param {AbortSignal} life
 */
export function buildOnlineStatus(model, life) {
  const bar = buildMeter(0, 1, say("progress"));
  const counts = makeElement("p", { class: "note", id: "learned" });
  const state = makeElement("p", { class: "note", role: "status" });
  const trouble = makeElement("div");
  const node = makeElement("div", { class: "learning" }, bar, counts, state, trouble);
  const show = (/** @type {OnlineModel} */ latest) => {
    const { samples_learned: learned, samples_left: left, error } = latest.online;
    bar.hidden = !isLearning(latest) || Boolean(error);
    bar.max = Math.max(1, learned + left);
    bar.value = learned;
    counts.textContent = describeLearnedCounts(latest);
    if (state.textContent !== describeLearning(latest)) state.textContent = describeLearning(latest);
    if (trouble.textContent !== error) trouble.replaceChildren(...(error ? [buildProblem(error)] : []));
  };
  const look = async () => {
    if (!node.isConnected) return false; // the view was filled anew
    const latest = await get("/page/models/active");
    if (life.aborted || !latest?.online) return false;
    show(latest);
    return isLearning(latest);
  };
  show(model);
  if (isLearning(model)) poll(look, PAUSE_MS, life);
  return node;
}

/** Build the form that gives the workspace a network.
 * @param {Preset[]} presets
 * @param {Model[]} models
 * @param {() => Promise<void>} refresh  shows the view anew
 */
export function buildOnlineForm(presets, models, refresh) {
  const start = buildStartMenu(
    presets.filter((preset) => preset.supports_online_learning),
    models.filter((model) => model.supports_online_learning),
  );
  const replay = makeElement("input", {
    type: "number",
    inputmode: "numeric",
    name: "replay",
    ...REPLAY,
    step: 1,
    placeholder: DEFAULT_REPLAY,
  });
  const submit = makeElement("button", { class: "primary", id: "learn-online" }, say("learnOnline"));
  const outcome = makeElement("div", { class: "outcome", role: "status" });
  const activate = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const name = start.selectedOptions[0].textContent;
    const online = { replay: replay.value === "" ? null : Number(replay.value) };
    submit.disabled = true;
    outcome.replaceChildren(makeElement("p", { class: "note" }, say("starting")));
    try {
      await post(`/page/models/${encodeURIComponent(start.value)}/activate`, { online });
      showStatus(say("nowLearns", { workspace: getWorkspace(), name }));
      await refresh();
    } catch (error) {
      submit.disabled = false;
      outcome.replaceChildren(buildProblem(explain(error)));
    }
  };
  const fields = makeElement(
    "div",
    { class: "row wrap" },
    makeElement("label", { class: "field grow" }, say("startFrom"), start),
    makeElement("label", { class: "field grow" }, say("replay"), replay),
    submit,
  );
  return makeElement(
    "details",
    { class: "learn-online" },
    makeElement("summary", {}, say("learnOnlineTitle")),
    makeElement(
      "form",
      { class: "stack", onsubmit: activate },
      makeElement("p", { class: "note" }, say("learnOnlineNote")),
      fields,
      outcome,
    ),
  );
}

/**
 * @param {Preset[]} presets
 * @param {Model[]} models
 */
function buildStartMenu(presets, models) {
  const names = findDistinctNames(models);
  return makeElement(
    "select",
    { id: "learn-from" },
    ...presets.map(({ name }) => makeElement("option", { value: name }, say("startNew", { preset: name }))),
    ...models.map((model, i) => makeElement("option", { value: model.model_id }, names[i])),
  );
}
