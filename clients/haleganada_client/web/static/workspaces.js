// Choosing, making and entering a workspace: a vocabulary of its own.

import { chooseWorkspace, currentWorkspace, get, post } from "./api.js";
import { ask } from "./dialog.js";
import { byId, element } from "./dom.js";
import { report, tell } from "./status.js";
import { say } from "./words.js";

export async function showWorkspaces() {
  const found = await get("/page/workspaces");
  if (!found.some((one) => one.name === currentWorkspace())) chooseWorkspace("default");
  const options = found.map((one) => element(
    "option", { value: one.name, selected: one.name === currentWorkspace() },
    one.corrupt ? say("corruptWorkspace", { name: one.name }) : one.name,
  ));
  byId("workspace").replaceChildren(...options, element("option", { value: "" }, say("newWorkspace")));
}

// onEnter: called when another workspace was entered.
export function listenToWorkspaces(onEnter) {
  byId("workspace").addEventListener("change", async (event) => {
    const name = event.target.value || (await make());
    if (name) {
      chooseWorkspace(name);
      tell(""); // what was said, and could be undone, was about the other workspace
    }
    await showWorkspaces().catch(report);
    if (name) onEnter();
  });
}

// The name of a new workspace, null if there is none in the end.
async function make() {
  const name = await ask(say("newWorkspaceTitle"), { text: say("newWorkspaceText"), confirm: say("create") });
  if (!name) return null;
  try {
    return (await post("/page/workspaces", { name })).name;
  } catch (error) {
    report(error);
    return null;
  }
}
