// Light or dark: as the system prefers until the reader chooses.

import { getById } from "./dom.js";
import { settings } from "./storage.js";

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

/** Let the reader switch between light and dark.
 * @param {() => void} onChange  called when what is drawn with colors of the theme must be drawn anew
 */
export function listenToTheme(onChange) {
  getById("theme").addEventListener("click", () => {
    switchTheme();
    onChange();
  });
  systemIsDark.addEventListener("change", onChange);
}

function switchTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme === "dark" || (root.dataset.theme === "auto" && systemIsDark.matches);
  root.dataset.theme = isDark ? "light" : "dark";
  settings.set("theme", root.dataset.theme);
}
