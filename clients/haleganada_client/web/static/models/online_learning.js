// A network of the workspace's own that learns online: how far it is, and the form that asks for one.

import { say } from "../i18n/words.js";
import { currentWorkspace, get, post } from "../server/api.js";
import { explain } from "../server/errors.js";
import { DEFAULT_REPLAY, REPLAY } from "../server/limits.js";
import { poll } from "../server/polling.js";
import { element } from "../ui/dom.js";
import { distinctNames } from "../ui/names.js";
import { meter, problem } from "../ui/parts.js";
import { showStatus } from "../ui/status.js";
import { isLearning, learnedCounts, learningState } from "./online_status.js";

const PAUSE_MS = 1000;

/** Show how far a network is, and follow it while there is something to learn and this is on the page.
 * @param {OnlineModel} model
 * @param {AbortSignal} life
 */
export function onlineStatus(model, life) {
  const bar = meter(0, 1, say("progress"));
  const counts = element("p", { class: "note", id: "learned" });
  const state = element("p", { class: "note", role: "status" });
  const trouble = element("div");
  const node = element("div", { class: "learning" }, bar, counts, state, trouble);
  const show = (/** @type {OnlineModel} */ latest) => {
    const { samples_learned: learned, samples_left: left, error } = latest.online;
    bar.hidden = !isLearning(latest) || Boolean(error);
    bar.max = Math.max(1, learned + left);
    bar.value = learned;
    counts.textContent = learnedCounts(latest);
    if (state.textContent !== learningState(latest)) state.textContent = learningState(latest);
    if (trouble.textContent !== error) trouble.replaceChildren(...(error ? [problem(error)] : []));
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
export function onlineForm(presets, models, refresh) {
  const start = startMenu(
    presets.filter((preset) => preset.supports_online_learning),
    models.filter((model) => model.supports_online_learning),
  );
  const replay = element("input", {
    type: "number",
    inputmode: "numeric",
    name: "replay",
    ...REPLAY,
    step: 1,
    placeholder: DEFAULT_REPLAY,
  });
  const submit = element("button", { class: "primary", id: "learn-online" }, say("learnOnline"));
  const outcome = element("div", { class: "outcome", role: "status" });
  const activate = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const name = start.selectedOptions[0].textContent;
    const online = { replay: replay.value === "" ? null : Number(replay.value) };
    submit.disabled = true;
    outcome.replaceChildren(element("p", { class: "note" }, say("starting")));
    try {
      await post(`/page/models/${encodeURIComponent(start.value)}/activate`, { online });
      showStatus(say("nowLearns", { workspace: currentWorkspace(), name }));
      await refresh();
    } catch (error) {
      submit.disabled = false;
      outcome.replaceChildren(problem(explain(error)));
    }
  };
  const fields = element(
    "div",
    { class: "row wrap" },
    element("label", { class: "field grow" }, say("startFrom"), start),
    element("label", { class: "field grow" }, say("replay"), replay),
    submit,
  );
  return element(
    "details",
    { class: "learn-online" },
    element("summary", {}, say("learnOnlineTitle")),
    element(
      "form",
      { class: "stack", onsubmit: activate },
      element("p", { class: "note" }, say("learnOnlineNote")),
      fields,
      outcome,
    ),
  );
}

/**
 * @param {Preset[]} presets
 * @param {Model[]} models
 */
function startMenu(presets, models) {
  const names = distinctNames(models);
  return element(
    "select",
    { id: "learn-from" },
    ...presets.map(({ name }) => element("option", { value: name }, say("startNew", { preset: name }))),
    ...models.map((model, i) => element("option", { value: model.model_id }, names[i])),
  );
}
