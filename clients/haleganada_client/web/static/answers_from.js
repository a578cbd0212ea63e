// What answers, where it is not the few-shot head: a model, or a network that learns along and how far it is; the way back.

import { get, post } from "./api.js";
import { byId } from "./dom.js";
import { canAnswer, isLearning, learnsHow } from "./learning.js";
import { poll } from "./polling.js";
import { count, say } from "./words.js";

const PAUSE_MS = 1000;

let answering = null; // as /page/models/active tells; null: the few-shot head
let following = new AbortController();

export const learnsAlong = () => Boolean(answering?.online);

// Whether something answers that needs nothing to be taught first.
export const modelAnswers = () => Boolean(answering) && (!learnsAlong() || canAnswer(answering));

// The name of the model that answers and does not learn, "" where what is taught counts.
export const fixedModel = () => (answering && !learnsAlong() ? answering.name : "");

// change(run, message): carries out a change and shows the page anew.
export function listenToTheWayBack(change) {
  byId("back-to-few-shot").addEventListener("click", () => change(async () => {
    await post("/page/models/few-shot/activate", {});
    await showAnswersFrom(() => {});
  }, say("answersFromTeaching")));
}

// onReady(): a network that learns along has learned enough to answer.
export async function showAnswersFrom(onReady) {
  following.abort();
  following = new AbortController();
  const { signal } = following;
  const look = async () => {
    const found = await ask();
    if (signal.aborted) return false; // a newer answer is on its way
    const could = modelAnswers();
    answering = found;
    show();
    if (learnsAlong() && modelAnswers() && !could) onReady();
    return learnsAlong() && isLearning(found);
  };
  if (await look()) poll(look, PAUSE_MS, signal);
}

function ask() {
  return get("/page/models/active").catch((error) => {
    if (error.isAbsence) throw error;
    return null; // a server without models; drawing goes on
  });
}

// What has not changed stays as it is, so that it is neither read out again nor loses the focus.
function show() {
  byId("answers-from").hidden = !answering;
  const online = answering?.online;
  write("answers-name", answering ? say(online ? "answersFromOnline" : "answersFrom", { name: answering.name }) : "");
  write("learns-how", online ? learnsHow(answering) : "");
  write("learns-left", online?.samples_left && !online.error ? say("learningLeft", { count: count(online.samples_left) }) : "");
}

function write(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text;
}
