// Tabs as the ARIA practices describe them: arrow keys move, the chosen one is the only stop.

import { byId } from "./dom.js";

/** @returns {HTMLElement[]} */
const tabs = () => [...document.querySelectorAll('[role="tab"]')].map((tab) => /** @type {HTMLElement} */ (tab));

/** @param {Element} tab */
const panelOf = (tab) => byId(tab.getAttribute("aria-controls") ?? "");

/** @param {Element} tab */
const isChosen = (tab) => tab.getAttribute("aria-selected") === "true";

/** Return the id of the panel that is shown. */
export const chosenPanel = () => panelOf(tabs().filter(isChosen)[0]).id;

/** Let the reader choose a tab.
 * @param {(panel: string) => void} onChoose  called with the id of the panel that is shown then
 */
export function listenToTabs(onChoose) {
  for (const [i, tab] of tabs().entries()) {
    tab.addEventListener("click", () => choose(tab, onChoose));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs().at((i + step) % tabs().length) ?? tab;
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
  for (const tab of tabs()) {
    tab.setAttribute("aria-selected", String(tab === chosen));
    tab.tabIndex = tab === chosen ? 0 : -1;
    panelOf(tab).hidden = tab !== chosen;
  }
  onChoose(panelOf(chosen).id);
}
