// Which model answers on the slate, where it is not the few-shot head: a fixed model, or a network that learns online and
// how far it is; and the way back.

import { formatCount, say } from "../i18n/words.js";
import { get, post } from "../server/api.js";
import { poll } from "../server/polling.js";
import { getById } from "../ui/dom.js";
import { canAnswer, describeLearning, isLearning } from "./online_status.js";
import { answerTogether, findTogether, joinNames } from "./together.js";

const PAUSE_MS = 1000;

/** @type {ActiveModel | null} */
let active = null; // null: the few-shot head
let following = new AbortController();

/** Return whether a network that learns online answers. */
export const isOnline = () => Boolean(getOnlineModel());

/** Return whether a model answers that needs nothing to be taught first. */
export function canModelAnswer() {
  if (findTogether().length) return true;
  const online = getOnlineModel();
  return online ? canAnswer(online) : Boolean(active);
}

/** Return the name of the model that answers and does not learn, "" where what is taught counts. */
export const getFixedModelName = () => joinNames(findTogether()) || (active && !isOnline() ? active.name : "");

/** Let the reader return to the few-shot head.
 * @param {Change} change
 */
export function listenToFewShotButton(change) {
  const activate = async () => {
    await post("/page/models/few-shot/activate", {});
    answerTogether([]);
    await showActiveModel(() => {});
  };
  getById("back-to-few-shot").addEventListener("click", () => change(activate, say("answersFromTeaching")));
}

/** Show which model answers, and follow it while it learns.
 * @param {() => void} onReady  called when a network that learns online has learned enough to answer
 */
export async function showActiveModel(onReady) {
  following.abort();
  following = new AbortController();
  const { signal } = following;
  const look = async () => {
    const latest = await askForActive();
    if (signal.aborted) return false; // a newer answer is on its way
    const couldAnswer = canModelAnswer();
    active = latest;
    show();
    const online = getOnlineModel();
    if (online && canAnswer(online) && !couldAnswer) onReady();
    return Boolean(online && isLearning(online));
  };
  if (await look()) poll(look, PAUSE_MS, signal);
}

/** @returns {OnlineModel | null} */
const getOnlineModel = () => (active?.online && !findTogether().length ? /** @type {OnlineModel} */ (active) : null);

/** @returns {Promise<ActiveModel | null>} */
function askForActive() {
  return get("/page/models/active").catch((error) => {
    if (error.isAbsence) throw error;
    return null; // a server without models; drawing goes on
  });
}

function show() {
  const online = getOnlineModel();
  const left = online && !online.online.error && online.online.samples_left;
  const names = joinNames(findTogether());
  const alone = active ? say(online ? "answersFromOnline" : "answersFrom", { name: active.name }) : "";
  getById("answers-from").hidden = !active && !names;
  write("answers-name", names ? say("answersTogether", { names }) : alone);
  write("learns-how", online ? describeLearning(online) : "");
  write("learns-left", left ? say("learningLeft", { count: formatCount(left) }) : "");
}

/** Change a text, but leave one that is right already, so that it is neither read out again nor loses the focus.
 * @param {string} id
 * @param {string} text
 */
function write(id, text) {
  if (getById(id).textContent !== text) getById(id).textContent = text;
}
