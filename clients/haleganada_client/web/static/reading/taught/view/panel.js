// The panel of one glyph: what it looks like, what it may be, a box to say what it is, and what else can be done with it.

import { say } from "../../../i18n/words.js";
import { MAX_LABEL_LENGTH } from "../../../server/limits.js";
import { makeElement, replaceKeepingFocus } from "../../../ui/dom.js";
import { formatShare } from "../../../ui/parts.js";
import { buildAlike } from "./alike.js";
import { buildEnlarged } from "./enlarged.js";
import { buildTools } from "./tools.js";
import { STATE_WORDS } from "./words.js";

/** @typedef {import("../glyphs.js").Glyph} Glyph */

const CHOICES = 5;

/**
 * @typedef {object} PanelActions
 * @property {(text: string) => void} onName
 * @property {() => void} onRemove
 * @property {() => void} onSplit
 * @property {() => void} onJoin
 * @property {() => void} onNext  the next question
 * @property {() => void} onUndo
 * @property {(on: boolean) => void} onAsk
 * @property {() => void} onTyping  something was typed
 * @property {() => void} onTypingOn  the box was chosen to type in, with hand or Tab key
 * @property {(glyph: Glyph, line: [import("../input/cut.js").Point, import("../input/cut.js").Point]) => void} onCut
 */

/** Build the panel; show() fills it. What is typed stays when it shows another glyph.
 * @param {HTMLImageElement} picture  of the page
 * @param {number} width  of the page in px
 * @param {ReturnType<typeof import("../drawings.js").findDrawings>} drawings
 * @param {boolean} asks
 * @param {PanelActions} actions
 */
export function buildPanel(picture, width, drawings, asks, actions) {
  const enlarged = buildEnlarged(picture, width, actions.onCut);
  const title = makeElement("h3", { id: "glyph-title" });
  const state = makeElement("p", { class: "note" });
  const question = makeElement("p", { class: "question" });
  const candidates = makeElement("ol", { class: "candidates glyph-candidates" });
  const alike = buildAlike(picture, width, () => count());
  const { form, input, teach } = buildForm(actions);
  const tools = buildTools(actions);
  const ask = makeElement("input", {
    type: "checkbox",
    id: "ask",
    checked: asks,
    onchange: ({ target }) => actions.onAsk(/** @type {HTMLInputElement} */ (target).checked),
  });

  const node = makeElement(
    "section",
    { class: "glyph-panel", "aria-labelledby": title.id },
    makeElement("div", { class: "row spread" }, title, makeElement("label", { class: "check" }, ask, say("askMe"))),
    makeElement("div", { class: "glyph-about" }, enlarged.node, makeElement("div", {}, state, candidates)),
    question,
    alike.node,
    form,
    tools.node,
  );
  let chosen = 1; // glyphs that an answer is for, without those that look alike
  const count = () => {
    const all = chosen + alike.included().length;
    teach.textContent = all > 1 ? say("teachAll", { count: all }) : say("teachOne");
    tools.sayRemove(all > 1 ? say("noGlyphs", { count: all }) : say("noGlyph"));
  };

  /** Show a glyph.
   * @param {Glyph} shown
   * @param {{ place: number, total: number, others: Glyph[], isQuestion: boolean, picked: number }} about
   */
  const show = (shown, { place, total, others, isQuestion, picked }) => {
    title.textContent = picked > 1 ? say("glyphsPicked", { count: picked }) : say("glyphOf", { place, total });
    state.textContent = `${say(STATE_WORDS[shown.state])}${shown.text ? ` · ${formatShare(shown.confidence)}` : ""}`;
    state.className = `note glyph-state ${shown.state}`;
    question.textContent = chooseQuestion(others.length, isQuestion);
    enlarged.show(shown);
    replaceKeepingFocus(candidates, ...shown.candidates.slice(0, CHOICES).map((one, i) => buildCandidate(one, i)));
    alike.show(shown, others);
    chosen = picked;
    tools.sayJoin(picked > 1 ? say("joinPicked", { count: picked }) : say("joinNext"));
    count();
  };
  const buildCandidate = (/** @type {GlyphCandidate} */ { text, probability }, /** @type {number} */ i) =>
    makeElement(
      "li",
      {},
      makeElement(
        "button",
        { type: "button", onclick: () => actions.onName(text), title: say("choose", { label: text }) },
        makeElement("kbd", { "aria-hidden": "true" }, i + 1),
        drawings.build(text),
        makeElement("span", { class: "form script" }, text),
        makeElement("span", { class: "percent" }, formatShare(probability)),
      ),
    );
  const showCut = (/** @type {[number, number][] | null} */ line) => {
    enlarged.showCut(line);
    tools.setCut(Boolean(line));
  };
  return { node, input, show, showCut, included: alike.included, setUndo: tools.setUndo };
}

/** @param {PanelActions} actions */
function buildForm({ onName, onNext, onTyping, onTypingOn }) {
  const input = makeElement("input", {
    id: "glyph-text",
    class: "script",
    maxlength: MAX_LABEL_LENGTH,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    enterkeyhint: "done",
    placeholder: say("glyphHint"),
    "aria-label": say("glyphLabel"),
    oninput: onTyping,
    onfocus: onTypingOn,
  });
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text) onName(text);
    else onNext();
  };
  const teach = makeElement("button", { class: "primary", id: "name-glyph" });
  return { input, teach, form: makeElement("form", { class: "row", onsubmit: submit }, input, teach) };
}

/**
 * @param {number} alike
 * @param {boolean} isQuestion
 */
function chooseQuestion(alike, isQuestion) {
  if (alike) return say("askAlike", { count: alike + 1 });
  return isQuestion ? say("askOne") : say("glyphAdvice");
}
