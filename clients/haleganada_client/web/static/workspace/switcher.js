// Choosing, creating and entering a workspace: a vocabulary of its own.

import { say } from "../i18n/words.js";
import { chooseWorkspace, get, getWorkspace, post } from "../server/api.js";
import { ask } from "../ui/dialog.js";
import { getById, makeElement } from "../ui/dom.js";
import { showError, showStatus } from "../ui/status.js";

/** List the workspaces in the menu. */
export async function showWorkspaces() {
  /** @type {WorkspaceInfo[]} */
  const workspaces = await get("/page/workspaces");
  if (!workspaces.some(({ name }) => name === getWorkspace())) chooseWorkspace("default");
  const options = workspaces.map(({ name, corrupt }) =>
    makeElement(
      "option",
      { value: name, selected: name === getWorkspace() },
      corrupt ? say("corruptWorkspace", { name }) : name,
    ),
  );
  getById("workspace").replaceChildren(...options, makeElement("option", { value: "" }, say("newWorkspace")));
}

/** Let the reader choose a workspace, or create one.
 * @param {() => void} onEnter  called when another workspace was entered
 */
export function listenToWorkspaces(onEnter) {
  getById("workspace").addEventListener("change", async () => {
    const name = getById("workspace").value || (await create());
    if (name) {
      chooseWorkspace(name);
      showStatus(""); // what it said, and offered to undo, was about the other workspace
    }
    await showWorkspaces().catch(showError);
    if (name) onEnter();
  });
}

/** Create a workspace. Returns its name, null if there is none in the end.
 * @returns {Promise<string | null>}
 */
async function create() {
  const name = await ask(say("newWorkspaceTitle"), { text: say("newWorkspaceText"), confirm: say("create") });
  if (!name) return null;
  try {
    return (await post("/page/workspaces", { name })).name;
  } catch (error) {
    showError(error);
    return null;
  }
}
