// What can be done with a glyph beside saying what it is: buttons, each with its key.

import { say } from "../../../i18n/words.js";
import { makeButton, makeElement } from "../../../ui/dom.js";

/** Build the buttons.
 * @param {import("./panel.js").PanelActions} actions
 */
export function buildTools({ onRemove, onSplit, onJoin, onNext, onUndo }) {
  const remove = buildTool("remove-glyph", "X", onRemove);
  const split = buildTool("split-glyph", "S", onSplit);
  const join = buildTool("join-glyphs", "J", onJoin);
  const next = buildTool("next-question", "N", onNext);
  const undo = buildTool("undo-correction", "Ctrl+Z", onUndo);
  split.say(say("splitGlyph"));
  next.say(say("nextQuestion"));

  const setUndo = (/** @type {string} */ text, /** @type {boolean} */ can) => {
    undo.say(text ? say("takeBackLesson", { label: text }) : say("takeBack"));
    undo.button.disabled = !can;
  };
  const setCut = (/** @type {boolean} */ on) => split.button.setAttribute("aria-pressed", String(on));
  setCut(false);
  const buttons = [remove, split, join, next, undo].map(({ button }) => button);
  const node = makeElement("div", { class: "row wrap glyph-tools" }, buttons);
  return { node, sayRemove: remove.say, sayJoin: join.say, setUndo, setCut };
}

/**
 * @param {string} id
 * @param {string} key
 * @param {() => void} run
 */
function buildTool(id, key, run) {
  const words = makeElement("span");
  const button = makeButton(words, run, { id, "aria-keyshortcuts": key.replace("Ctrl", "Control") });
  button.append(makeElement("kbd", { "aria-hidden": "true" }, key));
  return { button, say: (/** @type {string} */ text) => (words.textContent = text) };
}
