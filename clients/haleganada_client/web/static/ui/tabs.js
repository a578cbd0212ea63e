// Tabs as the ARIA practices describe them: arrow keys move, the chosen one is the only stop. The place in the browser's
// history remembers it, so that reload and Back return to it.

import { getWorkspace } from "../server/api.js";
import { getById } from "./dom.js";

/** @returns {HTMLElement[]} */
const findTabs = () => [...document.querySelectorAll('[role="tab"]')].map((tab) => /** @type {HTMLElement} */ (tab));

/** @param {Element} tab */
const findPanel = (tab) => getById(tab.getAttribute("aria-controls") ?? "");

/** @param {Element} tab */
const isChosen = (tab) => tab.getAttribute("aria-selected") === "true";

/** Return the id of the panel that is shown. */
export const findChosenPanel = () => findPanel(findTabs().filter(isChosen)[0]).id;

/** Let the reader choose a tab.
 * @param {(panel: string) => void} onChoose  called with the id of the panel that is shown then
 */
export function listenToTabs(onChoose) {
  const { panel, workspace } = history.state ?? {};
  const left = workspace === getWorkspace() && findTabs().find((tab) => findPanel(tab).id === panel);
  if (left) show(left);
  for (const [i, tab] of findTabs().entries()) {
    tab.addEventListener("click", () => choose(tab, onChoose));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = findTabs().at((i + step) % findTabs().length) ?? tab;
      next.focus();
      choose(next, onChoose);
    });
  }
}

/**
 * @param {HTMLElement} chosen
 * @param {(panel: string) => void} onChoose
 */
function choose(chosen, onChoose) {
  show(chosen);
  const { id } = findPanel(chosen);
  history.replaceState({ panel: id, workspace: getWorkspace() }, "");
  onChoose(id);
}

/** @param {HTMLElement} chosen */
function show(chosen) {
  for (const tab of findTabs()) {
    tab.setAttribute("aria-selected", String(tab === chosen));
    tab.tabIndex = tab === chosen ? 0 : -1;
    findPanel(tab).hidden = tab !== chosen;
  }
}
