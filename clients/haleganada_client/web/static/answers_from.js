// Which model answers, where it is not what was taught by drawing; and the way back.

import { get, post } from "./api.js";
import { button, byId, element } from "./dom.js";
import { say } from "./words.js";

export const modelAnswers = () => !byId("answers-from").hidden;

// change(run, message): carries out a change and shows the page anew.
export async function showAnswersFrom(change) {
  const line = byId("answers-from");
  const model = await get("/page/models/active").catch((error) => {
    if (error.isAbsence) throw error;
    return null; // a server without models; drawing goes on
  });
  line.hidden = !model;
  if (!model) return;
  const back = () => change(async () => {
    await post("/page/models/few-shot/activate", {});
    line.hidden = true;
  }, say("answersFromTeaching"));
  line.replaceChildren(element("span", {}, say("answersFrom", { name: model.name })), button(say("backToFewShot"), back, { class: "link", id: "back-to-few-shot" }));
}
