// What a phone's screen shows: how much of it the keyboard covers, and the slate, which stays in view while somebody types
// and comes back after teaching.

import { getById } from "./dom.js";

const hasFinger = matchMedia("(pointer: coarse)");
const root = document.documentElement;

/** Keep two properties of the style sheets right: --keyboard, what a keyboard covers at the lower end of the window, and
 * --screen, the window's height without one.
 */
export function watchScreen() {
  window.addEventListener("resize", measure);
  // Where the keyboard leaves the window as it is, only the visual viewport knows of it.
  for (const change of ["resize", "scroll"]) window.visualViewport?.addEventListener(change, measure);
  measure();
}

/** Bring the slate back into view for the next drawing, and let a phone's keyboard go. */
export function returnToSlate() {
  if (isTyping() && hasFinger.matches) getById("label").blur();
  getById("slate").scrollIntoView({ block: "nearest" });
}

function measure() {
  root.style.setProperty("--keyboard", `${measureKeyboard()}px`);
  if (!isTyping()) root.style.setProperty("--screen", `${innerHeight}px`);
  else if (hasFinger.matches) scrollBy({ top: getById("slate").getBoundingClientRect().top, behavior: "instant" });
}

/** Return how many CSS px at the lower end of the window are covered. */
function measureKeyboard() {
  const { height, offsetTop, scale } = window.visualViewport ?? { height: innerHeight, offsetTop: 0, scale: 1 };
  if (scale > 1) return 0; // an enlarged page: what is not seen is not covered
  return Math.max(0, Math.round(innerHeight - height - offsetTop));
}

const isTyping = () => document.activeElement?.id === "label";
