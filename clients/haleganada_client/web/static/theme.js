// Light or dark: as the system wishes until the reader chooses.

import { byId } from "./dom.js";

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

// onChange: called when what is drawn with colours from the theme must be drawn anew.
export function listenToTheme(onChange) {
  byId("theme").addEventListener("click", () => { switchTheme(); onChange(); });
  systemIsDark.addEventListener("change", onChange);
}

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme === "dark" || (root.dataset.theme === "auto" && systemIsDark.matches);
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
}
