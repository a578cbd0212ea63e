// Tabs as the ARIA practices describe them: arrow keys move, the chosen one is the only stop.

import { byId } from "./dom.js";

const all = () => [...document.querySelectorAll('[role="tab"]')];
const panelOf = (tab) => byId(tab.getAttribute("aria-controls"));

export const chosenTab = () => panelOf(all().find((tab) => tab.getAttribute("aria-selected") === "true")).id;

// onChoose(id of the panel)
export function listenToTabs(onChoose) {
  for (const tab of all()) {
    tab.addEventListener("click", () => choose(tab, onChoose));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const tabs = all();
      const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
      next.focus();
      choose(next, onChoose);
    });
  }
}

function choose(chosen, onChoose) {
  for (const tab of all()) {
    tab.setAttribute("aria-selected", String(tab === chosen));
    tab.tabIndex = tab === chosen ? 0 : -1;
    panelOf(tab).hidden = tab !== chosen;
  }
  onChoose(panelOf(chosen).id);
}
