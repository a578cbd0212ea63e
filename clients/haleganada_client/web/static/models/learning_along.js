// A network of the workspace's own that learns along: how far it is, and the form that asks for one.

import { currentWorkspace, get, post } from "../api.js";
import { element } from "../dom.js";
import { isLearning, learnedOf, learnsHow } from "../learning.js";
import { poll } from "../polling.js";
import { tell } from "../status.js";
import { say } from "../words.js";
import { meter, namesOf, problem } from "./parts.js";

const PAUSE_MS = 1000;
const MOST_REPLAYED = 1024;
const USUAL_REPLAY = 32;

// Lines that move on as long as there is something to learn and they are on the page.
export function learningStatus(active, life) {
  const how = element("p", { class: "note", role: "status" });
  const counts = element("p", { class: "note", id: "learned" });
  const bar = meter(0, 1, say("progress"));
  const trouble = element("div");
  const node = element("div", { class: "learning" }, bar, counts, how, trouble);
  const show = (now) => {
    const { online } = now;
    bar.hidden = !isLearning(now) || Boolean(online.error);
    [bar.max, bar.value] = [Math.max(1, online.samples_learned + online.samples_left), online.samples_learned];
    counts.textContent = learnedOf(online);
    if (how.textContent !== learnsHow(now)) how.textContent = learnsHow(now);
    if (trouble.textContent !== online.error) trouble.replaceChildren(...(online.error ? [problem(online.error)] : []));
  };
  const look = async () => {
    if (!node.isConnected) return false; // the view was filled anew
    const now = await get("/page/models/active");
    if (life.aborted || !now?.online) return false;
    show(now);
    return isLearning(now);
  };
  show(active);
  if (isLearning(active)) poll(look, PAUSE_MS, life);
  return node;
}

// again(): shows the view anew.
export function learnAlongForm(presets, models, again) {
  const learns = (one) => one.supports_online_learning;
  const learning = models.filter(learns), names = namesOf(learning);
  const start = element("select", { id: "learn-from" },
    presets.filter(learns).map(({ name }) => element("option", { value: name }, say("startNew", { preset: name }))),
    learning.map((model, i) => element("option", { value: model.model_id }, names[i])));
  const replay = element("input", { type: "number", inputmode: "numeric", name: "replay", min: 0, max: MOST_REPLAYED, step: 1, placeholder: USUAL_REPLAY });
  const control = element("button", { class: "primary", id: "learn-along" }, say("learnAlong"));
  const outcome = element("div", { class: "outcome", role: "status" });
  const ask = async (event) => {
    event.preventDefault();
    const name = start.selectedOptions[0].textContent;
    control.disabled = true;
    outcome.replaceChildren(element("p", { class: "note" }, say("starting")));
    try {
      await post(`/page/models/${encodeURIComponent(start.value)}/activate`, { online: { replay: replay.value === "" ? null : Number(replay.value) } });
      tell(say("nowLearns", { workspace: currentWorkspace(), name }));
      await again();
    } catch (error) {
      control.disabled = false;
      outcome.replaceChildren(problem(error.message || say("noAnswer")));
    }
  };
  return element("details", { class: "learn-along" }, element("summary", {}, say("learnAlongTitle")),
    element("form", { class: "stack", onsubmit: ask }, element("p", { class: "note" }, say("learnAlongNote")),
      element("div", { class: "row wrap" }, element("label", { class: "field grow" }, say("startFrom"), start), element("label", { class: "field grow" }, say("replay"), replay), control), outcome));
}
