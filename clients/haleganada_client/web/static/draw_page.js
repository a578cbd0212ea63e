// The page to draw on: draw, see what it is, say what it is. This module joins the others; each of them has one thing to
// show.

import { Answer } from "./drawing/answer.js";
import { Board } from "./drawing/board.js";
import { showHelp } from "./drawing/help.js";
import { KeyPen } from "./drawing/key_pen.js";
import { acceptPictures } from "./drawing/picture.js";
import { listenToLanguage } from "./i18n/chooser.js";
import { count, say, translatePage } from "./i18n/words.js";
import { canModelAnswer, fixedModelName, isOnline, listenToFewShotButton, showActiveModel } from "./models/active.js";
import { get, post } from "./server/api.js";
import { watchServer } from "./server/presence.js";
import { TeachForm } from "./teaching/form.js";
import { showGallery } from "./teaching/gallery.js";
import { Lesson } from "./teaching/lesson.js";
import { showProgress } from "./teaching/progress.js";
import { openSample } from "./teaching/sample.js";
import { byId, element } from "./ui/dom.js";
import { listenToKeys } from "./ui/shortcuts.js";
import { clearError, showError, showStatus } from "./ui/status.js";
import { chosenPanel, listenToTabs } from "./ui/tabs.js";
import { listenToTheme } from "./ui/theme.js";
import { showKeep } from "./workspace/keep.js";
import { listenToWorkspaces, showWorkspaces } from "./workspace/switcher.js";

const CANDIDATES = 5;

const canAnswer = () => canModelAnswer() || (stats?.samples_total ?? 0) > 0;
const penShare = () => Number(byId("pen").value) / 100;
const board = new Board(byId("board"), penShare());
const answer = new Answer((candidate) => teach(candidate.label));
const form = new TeachForm(teach);
/** @type {Stats | null} */
let stats = null;
/** @type {AbortController | null} */
let asking = null; // the prediction under way
let refreshes = 0;
/** @type {Lesson | null} */
let lesson = null; // kept until the server has it, so that a repeated try is the same request

// Recognizing

async function recognize() {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const { version } = board;
  if (board.isEmpty) {
    answer.show(null, version, canAnswer());
    return;
  }
  try {
    const prediction = await post("/page/predict", { ...board.drawing(), top_k: CANDIDATES }, signal);
    answer.show(prediction, version, canAnswer());
  } catch (error) {
    if (error.name === "AbortError") return;
    answer.show(null, version, canAnswer());
    if (!error.isAbsence) showError(error); // the banner speaks of absence, and the page asks again by itself
  }
}

// Teaching

/**
 * @param {string} label
 * @param {string} variantOf  the letter that it is a form of, or ""
 */
async function teach(label, variantOf = "") {
  if (board.isEmpty) {
    showError(new Error(say("nothingDrawn")));
    return;
  }
  if (!lesson?.isSame(board.version, label, variantOf)) lesson = new Lesson(board.version, label, variantOf);
  const { content } = board;
  try {
    const { revision } = await lesson.send(board.drawing(), answer.for(board.version));
    lesson = null;
    board.remove(content);
    form.reset();
    confirmTaught(label, () => takeBack(revision));
    recognize();
  } catch (error) {
    showError(error); // the drawing stays, and so does the lesson: the same button tries again
    return;
  }
  await refresh().catch(showError);
}

/** Say what was learned. The next drawing shows it, but not where a model answers that does not learn.
 * @param {string} label
 * @param {() => void} onUndo
 */
function confirmTaught(label, onUndo) {
  const name = fixedModelName();
  if (!name) {
    showStatus(say("taught", { label }), onUndo);
    return;
  }
  const link = element("a", { class: "link", href: byId("to-models").href }, say("chooseModel"));
  showStatus(say("taughtUnused", { label, name }), onUndo, link);
}

/** Undo beside “Learned”: the server forgets the drawing, and the slate has it back.
 * @param {number} revision
 */
async function takeBack(revision) {
  const isDone = await change(() => post("/page/undo", { expected_revision: revision }), say("undone"));
  if (isDone && board.isEmpty) board.undo();
}

const undoChange = () => change(() => post("/page/undo", {}), say("undone"));

/** Change what the server knows, and offer to undo it.
 * @type {Change}
 */
const undoable = (run, message) => change(run, message, undoChange);

/** Change what the server knows, say what was done, show the new state. Returns whether it was done.
 * @template T
 * @param {() => Promise<T>} run
 * @param {string | ((result: T) => string)} message
 * @param {(() => void) | null} onUndo
 */
async function change(run, message, onUndo = null) {
  try {
    const result = await run();
    showStatus(typeof message === "function" ? message(result) : message, onUndo);
  } catch (error) {
    showError(error);
    return false;
  }
  await refresh().catch(showError);
  recognize();
  return true;
}

// What the server knows

async function refresh() {
  const mine = ++refreshes;
  /** @type {Stats} */
  const latest = await get("/page/stats");
  if (mine !== refreshes) return; // a newer answer is on its way
  stats = latest;
  if (isOnline()) showActiveModel(showReady).catch(showError);
  form.offer(stats);
  byId("count").textContent = count(stats.samples_total);
  byId("count").hidden = stats.samples_total === 0;
  showBoardState();
  if (board.isEmpty) answer.show(null, board.version, canAnswer());
  await showPanel(chosenPanel());
}

/** A network that learns online can answer from now on. */
function showReady() {
  showBoardState();
  recognize();
}

/** @type {Record<string, (stats: Stats) => Promise<void>>} */
const PANELS = {
  gallery: (latest) => showGallery(latest, undoable),
  progress: () => showProgress(practice, (sampleId) => openSample(sampleId, undoable)),
  keep: () => showKeep(change),
};

/** Let the reader draw a label next.
 * @param {string} label
 */
function practice(label) {
  form.suggest(label);
  byId("slate").scrollIntoView({ block: "center" });
  byId("board").focus({ preventScroll: true });
}

/** @param {string} id */
async function showPanel(id) {
  if (stats) await PANELS[id](stats).catch(showError);
}

function showBoardState() {
  byId("undo-stroke").disabled = !board.canUndo;
  byId("clear").disabled = board.isEmpty;
  byId("slate").classList.toggle("drawn", !board.isEmpty);
  byId("slate").classList.toggle("first", !canAnswer());
  byId("hint").hidden = !board.isEmpty || canAnswer();
  form.allow(!board.isEmpty);
}

/** Draw anew what has colors of the theme. */
function repaint() {
  board.redraw();
  showPanel(chosenPanel());
}

// Keys

/** @param {number} i */
function chooseCandidate(i) {
  const candidate = answer.candidates.at(i);
  if (candidate) teach(candidate.label);
  return Boolean(candidate);
}

function teachOrType() {
  if (byId("label").value) byId("teach").requestSubmit();
  else byId("label").focus();
}

async function start() {
  translatePage();
  try {
    await showWorkspaces();
    await showActiveModel(showReady);
    await refresh();
    await recognize();
  } catch (error) {
    showError(error);
  }
}

board.addEventListener("change", () => {
  clearError();
  showBoardState();
});
board.addEventListener("stroke", recognize);
new KeyPen(board, byId("board"), byId("cursor"));
byId("undo-stroke").addEventListener("click", () => board.undo());
byId("clear").addEventListener("click", () => {
  board.clear();
  recognize();
});
byId("pen").addEventListener("input", () => board.setPen(penShare()));
byId("pen").addEventListener("change", recognize);
byId("help").addEventListener("click", showHelp);
acceptPictures(board);
listenToFewShotButton(change);
listenToKeys({
  choose: chooseCandidate,
  teach: teachOrType,
  help: showHelp,
  undoStroke: () => board.undo(),
  clear: () => byId("clear").click(),
  undoChange,
  leave: () => byId("board").focus(),
});
listenToLanguage(start);
listenToTabs(showPanel);
listenToTheme(repaint);
listenToWorkspaces(start);
window.addEventListener("unhandledrejection", (event) => showError(event.reason)); // whatever a panel asked for in vain
watchServer(start);
start();
