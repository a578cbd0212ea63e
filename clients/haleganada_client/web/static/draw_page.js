// The page to draw on: draw, see what it is, say what it is. This module joins the others; each of them has one thing to
// show.

import { Answer } from "./drawing/answer.js";
import { Board } from "./drawing/board.js";
import { showHelp } from "./drawing/help.js";
import { keepDrawing } from "./drawing/kept_drawing.js";
import { KeyPen } from "./drawing/key_pen.js";
import { PointerPen } from "./drawing/pointer_pen.js";
import { listenToLanguage } from "./i18n/chooser.js";
import { formatCount, say, translatePage } from "./i18n/words.js";
import {
  canModelAnswer,
  getFixedModelName,
  isOnline,
  listenToFewShotButton,
  showActiveModel,
} from "./models/active.js";
import { findTogether } from "./models/together.js";
import { acceptPictures } from "./pictures/intake.js";
import { PictureQueue } from "./pictures/queue.js";
import { askForLetters } from "./practice/start.js";
import { Walk } from "./practice/walk.js";
import { get, getWorkspace, post } from "./server/api.js";
import { MAX_LABEL_LENGTH } from "./server/limits.js";
import { watchServer } from "./server/presence.js";
import { rememberDrawings } from "./teaching/evidence.js";
import { TeachForm } from "./teaching/form.js";
import { showGallery } from "./teaching/gallery.js";
import { Outbox } from "./teaching/outbox.js";
import { showProgress } from "./teaching/progress.js";
import { getScriptSize } from "./teaching/script_size.js";
import { showWaiting } from "./teaching/waiting.js";
import { focusMain, getById, makeElement } from "./ui/dom.js";
import { listenToLogOut } from "./ui/log_out.js";
import { returnToSlate, watchScreen } from "./ui/screen.js";
import { listenToKeys } from "./ui/shortcuts.js";
import { clearError, makeRoom, showError, showStatus, showWhile } from "./ui/status.js";
import { findChosenPanel, listenToTabs } from "./ui/tabs.js";
import { listenToTheme } from "./ui/theme.js";
import { showKeep } from "./workspace/keep.js";
import { listenToWorkspaces, showWorkspaces } from "./workspace/switcher.js";

const CANDIDATES = 5;

const canAnswer = () => canModelAnswer() || (stats?.samples_total ?? 0) > 0;
const getPenShare = () => Number(getById("pen").value) / 100;
const board = new Board(getById("board"), getPenShare());
const answer = new Answer(
  (candidate) => teach(candidate.label),
  () => getById("label").focus(),
);
const form = new TeachForm(teach);
const queue = new PictureQueue(board, form);
const walk = new Walk(form, checkDrawing);
const outbox = new Outbox();
/** @type {Stats | null} */
let stats = null;
/** @type {AbortController | null} */
let asking = null; // the prediction under way
let refreshes = 0;
let shows = 0;
let showing = Promise.resolve(); // the panel that is being filled

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
    const models = findTogether().map(({ model_id: id }) => id);
    const question = { top_k: CANDIDATES, models, script_labels: getScriptSize() };
    const prediction = await post("/page/predict", { ...board.drawing(), ...question }, { signal });
    if (version !== board.version) return; // the next stroke has begun; its end asks again
    answer.show(prediction, version, canAnswer());
    queue.suggest(prediction);
  } catch (error) {
    if (error.name === "AbortError" || version !== board.version) return;
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
  board.finish();
  const { content } = board;
  const picture = board.makeThumbnail();
  try {
    const sent = outbox.teach(label, variantOf, board.drawing(), answer.findFor(board.version));
    const { taught, key } = await showWhile(sent, say("learning", { label }));
    board.remove(content);
    form.reset();
    returnToSlate();
    const bringBack = async () => {
      if (!taught || !(await queue.takeBack(taught.revision))) board.restore(content);
      walk.takeBack(label);
    };
    if (taught) confirmTaught(label, picture, taught.revision, bringBack);
    else confirmKept(label, picture, key, bringBack);
    recognize();
    walk.noteTaught(label);
    await queue.noteTaught(content.picture, taught?.revision ?? 0);
    if (!taught) return;
  } catch (error) {
    showError(error); // the drawing stays: the same button tries again
    return;
  }
  await refresh().catch(showError);
}

/** Say what was learned. The next drawing shows it, but not where a model answers that does not learn.
 * @param {string} label
 * @param {Node} picture
 * @param {number} revision
 * @param {() => unknown} bringBack  puts the drawing on the slate again
 */
function confirmTaught(label, picture, revision, bringBack) {
  const run = async () => {
    if (await takeBack(revision, say("takenBackLesson", { label }), picture)) await bringBack();
  };
  const takeBackLesson = { text: say("takeBackLesson", { label }), run };
  const name = getFixedModelName();
  if (!name) {
    showStatus(say("taught", { label }), { picture, takeBack: takeBackLesson });
    return;
  }
  const link = makeElement("a", { class: "link", href: getById("to-models").href }, say("chooseModel"));
  showStatus(say("taughtUnused", { label, name }), { picture, link, takeBack: takeBackLesson });
}

/** Say that a drawing waits for the server.
 * @param {string} label
 * @param {Node} picture
 * @param {number} key  in the outbox
 * @param {() => unknown} bringBack
 */
function confirmKept(label, picture, key, bringBack) {
  const run = async () => {
    if (!(await outbox.discard([key]))) return; // it was sent meanwhile
    showStatus(say("takenBackLesson", { label }), { picture });
    await bringBack();
  };
  showStatus(say("kept", { label }), { picture, takeBack: { text: say("takeBackLesson", { label }), run } });
}

/** Take back the change that made a revision, and no other: if something was changed since, the server refuses. Returns
 * whether it was taken back.
 * @param {number} revision
 * @param {string} message
 * @param {Node | null} picture
 */
const takeBack = (revision, message, picture) =>
  change(
    () => post("/page/undo", { expected_revision: revision }),
    message,
    () => ({ picture }),
  );

/** Change what the server knows, and offer to take it back.
 * @type {Undoable}
 */
const changeUndoably = (run, message, picture = null) =>
  change(run, message, ({ revision }) => ({
    picture,
    takeBack: { text: say("takeBack"), run: () => takeBack(revision, say("takenBack"), picture) },
  }));

/** Change what the server knows, say what was done, show the new state. Returns whether it was done.
 * @template T
 * @param {() => Promise<T>} run
 * @param {string | ((result: T) => string)} message
 * @param {(result: T) => import("./ui/status.js").Outcome} describe  what stands beside the message
 */
async function change(run, message, describe = () => ({})) {
  try {
    const result = await showWhile(run(), say("working"));
    showStatus(typeof message === "function" ? message(result) : message, describe(result));
  } catch (error) {
    showError(error);
    if (error.reason === "REVISION_MISMATCH") await refresh().catch(showError);
    return false;
  }
  await refresh().catch(showError);
  recognize();
  return true;
}

// Walking through letters

async function startWalk() {
  const chosen = await askForLetters();
  if (!chosen?.labels.length) return;
  queue.end();
  walk.teach(chosen.labels, chosen.times);
  showSlate();
}

function startPractice() {
  queue.end();
  walk.practice((stats?.labels ?? []).map(({ label }) => label));
  showSlate();
}

function showSlate() {
  getById("walk").scrollIntoView({ block: "nearest" });
  getById("board").focus({ preventScroll: true });
}

/** Score the drawing as the letter that is practiced. */
async function checkDrawing() {
  if (board.isEmpty) {
    showError(new Error(say("nothingDrawn")));
    return;
  }
  board.finish();
  if (!answer.findFor(board.version)) await recognize();
  const prediction = answer.findFor(board.version);
  if (!prediction) return; // why has been said
  walk.judge(prediction, board.makeThumbnail());
  board.clear();
  recognize();
}

// What the server knows

async function refresh() {
  const mine = ++refreshes;
  /** @type {Stats} */
  const latest = await get("/page/stats");
  if (mine !== refreshes) return; // a newer answer is on its way
  stats = latest;
  if (isOnline()) showActiveModel(showReady).catch(showError);
  rememberDrawings(stats);
  walk.showLetter();
  form.offer(stats);
  getById("count").textContent = formatCount(stats.samples_total);
  getById("practice").hidden = stats.labels_known === 0;
  getById("count").hidden = stats.samples_total === 0;
  showBoardState();
  if (board.isEmpty) answer.show(null, board.version, canAnswer());
  await showPanel(findChosenPanel());
}

/** A network that learns online can answer from now on. */
function showReady() {
  showBoardState();
  recognize();
}

/** @type {Record<string, (stats: Stats) => Promise<void>>} */
const PANELS = {
  gallery: (latest) => showGallery(latest, changeUndoably),
  progress: () => showProgress(suggestNext, changeUndoably, recognize),
  keep: ({ revision }) => showKeep(change, revision),
};

/** Let the reader draw a label next.
 * @param {string} label
 */
function suggestNext(label) {
  form.suggest(label);
  getById("slate").scrollIntoView({ block: "center" });
  getById("board").focus({ preventScroll: true });
}

/** Show a panel, one at a time, so that the last one asked for is the one that is seen.
 * @param {string} id
 */
async function showPanel(id) {
  const mine = ++shows;
  await showing;
  if (mine !== shows || !stats) return;
  showing = PANELS[id](stats).catch(showError);
  await showing;
}

function showBoardState() {
  const focused = document.activeElement;
  getById("undo-stroke").disabled = !board.canUndo;
  getById("redo-stroke").disabled = !board.canRedo;
  getById("clear").disabled = board.isEmpty;
  getById("slate").classList.toggle("drawn", !board.isEmpty);
  getById("slate").classList.toggle("first", !canAnswer());
  getById("hint").hidden = !board.isEmpty || canAnswer();
  form.allow(!board.isEmpty);
  if (focused?.matches(":disabled")) focusMain();
}

/** Draw anew what has colors of the theme. */
function repaint() {
  board.redraw();
  showPanel(findChosenPanel());
}

// Keys

/** @param {number} i */
function chooseCandidate(i) {
  const candidate = answer.findFor(board.version) && answer.candidates.at(i);
  if (candidate) teach(candidate.label);
  return Boolean(candidate);
}

function teachOrType() {
  if (walk.isPractice) checkDrawing();
  else if (getById("label").value) getById("teach").requestSubmit();
  else getById("label").focus();
}

/** Put text that was pasted or dropped beside the label's box into it.
 * @param {string} text
 */
function takeText(text) {
  if ([...text].length > MAX_LABEL_LENGTH) showError(new Error(say("labelRefused")));
  else form.suggest(text);
}

/** Show what others have changed while nobody saw the page. */
async function catchUp() {
  /** @type {SamplePage} */
  const { revision } = await get("/page/samples", { page_size: 1 });
  if (!stats || revision === stats.revision) return;
  await refresh();
  recognize();
}

async function load() {
  await Promise.all([showActiveModel(showReady), refresh()]);
  await recognize();
}

async function start() {
  translatePage();
  showWaiting(outbox);
  outbox.send();
  queue.show();
  walk.show();
  const workspace = getWorkspace();
  const asked = await Promise.allSettled([showWorkspaces(), load()]); // at once: on a slow line, each waits for the line
  if (getWorkspace() === workspace) {
    for (const { reason } of asked.filter(isRejected)) showError(reason);
  } else {
    await load().catch(showError); // it is gone, and another one is shown in its place
  }
}

/** @param {PromiseSettledResult<void>} result
 * @returns {result is PromiseRejectedResult} */
const isRejected = (result) => result.status === "rejected";

board.addEventListener("change", () => {
  clearError();
  answer.expire();
  showBoardState();
});
board.addEventListener("stroke", recognize);
outbox.addEventListener("change", () => showWaiting(outbox));
outbox.addEventListener("sent", () => {
  showStatus(say("waitingSent"));
  refresh().catch(showError);
});
keepDrawing(board);
getById("board").addEventListener("pointerdown", makeRoom);
new PointerPen(board, getById("board"));
new KeyPen(board, getById("board"), getById("cursor"));
getById("undo-stroke").addEventListener("click", () => board.undo());
getById("redo-stroke").addEventListener("click", () => board.redo());
getById("clear").addEventListener("click", () => {
  board.clear();
  recognize();
});
getById("pen").addEventListener("input", () => board.setPen(getPenShare()));
getById("pen").addEventListener("change", recognize);
getById("help").addEventListener("click", showHelp);
getById("start-walk").addEventListener("click", startWalk);
getById("practice").addEventListener("click", startPractice);
acceptPictures((files) => {
  walk.end();
  queue.add(files);
}, takeText);
listenToFewShotButton(change);
listenToKeys({
  choose: chooseCandidate,
  teach: teachOrType,
  help: showHelp,
  undoStroke: () => board.undo(),
  redoStroke: () => board.redo(),
  clear: () => getById("clear").click(),
  leave: () => getById("board").focus(),
});
listenToLanguage(start);
listenToTabs(showPanel);
listenToTheme(repaint);
listenToWorkspaces(() => {
  walk.end(); // its letters were the other workspace's
  return start();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) catchUp().catch((error) => error.isAbsence || showError(error)); // the banner speaks of absence
});
window.addEventListener("unhandledrejection", (event) => showError(event.reason)); // whatever a panel asked for in vain
watchScreen();
listenToLogOut();
watchServer(start);
start();
