// The page: draw, see what it is, say what it is. This module joins the others; each of them has one thing to show.

import { Answer } from "./answer.js";
import { fixedModel, learnsAlong, listenToTheWayBack, modelAnswers, showAnswersFrom } from "./answers_from.js";
import { get, post, requestId } from "./api.js";
import { Board } from "./board.js";
import { byId, element } from "./dom.js";
import { showFigures } from "./figures.js";
import { openSample, showGallery } from "./gallery.js";
import { showHelp } from "./help.js";
import { showKeep } from "./keep.js";
import { KeyPen } from "./key_pen.js";
import { listenToKeys } from "./keys.js";
import { watchServer } from "./presence.js";
import { forgetRefusal, report, tell } from "./status.js";
import { chosenTab, listenToTabs } from "./tabs.js";
import { Teaching } from "./teaching.js";
import { listenToTheme } from "./theme.js";
import { count, say, switchLanguage, translatePage } from "./words.js";
import { listenToWorkspaces, showWorkspaces } from "./workspaces.js";

const CANDIDATES = 5;
const PICTURES = ["image/png", "image/jpeg", "image/webp"];

const canAnswer = () => modelAnswers() || stats.samples_total > 0;
const penShare = () => Number(byId("pen").value) / 100;
const board = new Board(byId("board"), penShare());
const answer = new Answer((candidate) => teach(candidate.label));
const teaching = new Teaching(teach);
let stats = { labels: [], samples_total: 0 };
let asking = null; // the AbortController of the prediction under way
let refreshes = 0;
let lesson = null; // what is being taught, kept until the server has it, so that a repeated try is the same request

// Recognising

async function recognise() {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const { version } = board;
  if (board.isEmpty) {
    answer.show(null, version, canAnswer());
    return;
  }
  try {
    answer.show(await post("/page/predict", { ...board.drawing(), top_k: CANDIDATES }, signal), version, canAnswer());
  } catch (error) {
    if (error.name === "AbortError") return;
    answer.show(null, version, canAnswer());
    if (!error.isAbsence) report(error); // the banner speaks of absence, and the page asks again by itself
  }
}

// Teaching

async function teach(label, variantOf = "") {
  if (board.isEmpty) {
    report(new Error(say("nothingDrawn")));
    return;
  }
  if (lesson?.version !== board.version || lesson.label !== label || lesson.variantOf !== variantOf) {
    lesson = { version: board.version, label, variantOf, id: requestId() };
  }
  const { content } = board;
  try {
    const { revision } = await send(lesson);
    lesson = null;
    board.takeAway(content);
    teaching.reset();
    tellTaught(label, () => takeBack(revision));
    recognise();
  } catch (error) {
    report(error); // the drawing stays, and so does the lesson: the same button tries again
    return;
  }
  await refresh().catch(report);
}

// The next drawing shows it, but not where a model answers that does not learn.
function tellTaught(label, onUndo) {
  const name = fixedModel();
  if (!name) tell(say("taught", { label }), onUndo);
  else tell(say("taughtInVain", { label, name }), onUndo, element("a", { class: "link", href: byId("to-models").href }, say("chooseModel")));
}

// A label other than the one that the server claimed corrects that claim; everything else is simply taught.
async function send({ version, label, variantOf, id }) {
  const claim = answer.for(version);
  const best = claim?.candidates[0];
  const claimed = best && ["recognized", "unsure"].includes(claim.decision);
  const body = { label, variant_of: variantOf, request_id: id };
  if (claimed && best.label !== label) {
    try {
      return (await post("/page/correct", { ...body, prediction_id: claim.prediction_id })).taught;
    } catch (error) {
      if (error.reason !== "PREDICTION_NOT_FOUND") throw error; // the server was started anew since
    }
  }
  return post("/page/train", { ...body, ...board.drawing() });
}

// Undo beside “Learned”: the server forgets the drawing, and the slate has it back.
async function takeBack(revision) {
  const done = await change(() => post("/page/undo", { expected_revision: revision }), say("undone"));
  if (done && board.isEmpty) board.undo();
}

// Run a change of what the server knows, say what came of it, show the new state. True if it was made.
async function change(run, message, onUndo = null) {
  try {
    const result = await run();
    tell(typeof message === "function" ? message(result) : message, onUndo);
  } catch (error) {
    report(error);
    return false;
  }
  await refresh().catch(report);
  recognise();
  return true;
}

const undoable = (run, message) => change(run, message, () => change(() => post("/page/undo", {}), say("undone")));

// What the server knows

async function refresh() {
  const mine = ++refreshes;
  const found = await get("/page/stats");
  if (mine !== refreshes) return; // a newer answer is on its way
  stats = found;
  if (learnsAlong()) showAnswersFrom(showReady).catch(report);
  teaching.offer(stats);
  byId("count").textContent = count(stats.samples_total);
  byId("count").hidden = stats.samples_total === 0;
  showBoardState();
  if (board.isEmpty) answer.show(null, board.version, canAnswer());
  await showPanel(chosenTab());
}

// A network that learns along can answer from now on.
function showReady() {
  showBoardState();
  recognise();
}

const PANELS = {
  gallery: () => showGallery(stats, undoable),
  figures: () => showFigures(practise, (sampleId) => openSample(sampleId, undoable)),
  keep: () => showKeep(change),
};

// The reader will draw this label next.
function practise(label) {
  teaching.suggest(label);
  byId("slate").scrollIntoView({ block: "center" });
  byId("board").focus({ preventScroll: true });
}

const showPanel = (id) => PANELS[id]().catch(report);

function showBoardState() {
  byId("undo-stroke").disabled = !board.canUndo;
  byId("clear").disabled = board.isEmpty;
  byId("slate").classList.toggle("drawn", !board.isEmpty);
  byId("slate").classList.toggle("first", !canAnswer());
  byId("hint").hidden = !board.isEmpty || canAnswer();
  teaching.allow(!board.isEmpty);
}

// Pictures instead of strokes

async function showPicture(file) {
  if (!file) return;
  // Each browser has words of its own for a file that only claims to be a picture.
  const isShown = PICTURES.includes(file.type) && (await board.show(file).then(() => true, () => false));
  if (!isShown) report(new Error(say("noPicture", { name: file.name })));
}

function acceptPictures() {
  byId("file").addEventListener("change", (event) => { showPicture(event.target.files[0]); event.target.value = ""; });
  document.addEventListener("paste", (event) => showPicture([...event.clipboardData.files][0]));
  document.addEventListener("dragover", (event) => { event.preventDefault(); byId("slate").classList.add("over"); });
  document.addEventListener("dragleave", () => byId("slate").classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    byId("slate").classList.remove("over");
    showPicture(event.dataTransfer.files[0]);
  });
}

// Settings

// What is drawn with colours from the theme.
function repaint() {
  board.redraw();
  showPanel(chosenTab());
}

function choose(i) {
  const candidate = answer.candidates[i];
  if (candidate) teach(candidate.label);
  return Boolean(candidate);
}

function enter() {
  if (byId("label").value) byId("teach").requestSubmit();
  else byId("label").focus();
}

async function start() {
  translatePage();
  try {
    await showWorkspaces();
    await showAnswersFrom(showReady);
    await refresh();
    await recognise();
  } catch (error) {
    report(error);
  }
}

board.addEventListener("change", () => { forgetRefusal(); showBoardState(); });
board.addEventListener("stroke", recognise);
new KeyPen(board, byId("board"), byId("cursor"));
byId("undo-stroke").addEventListener("click", () => board.undo());
byId("clear").addEventListener("click", () => { board.clear(); recognise(); });
byId("pen").addEventListener("input", () => board.setPen(penShare()));
byId("pen").addEventListener("change", recognise);
byId("language").addEventListener("click", () => { tell(""); switchLanguage(); start(); });
byId("help").addEventListener("click", showHelp);
listenToTheme(repaint);
acceptPictures();
listenToTheWayBack(change);
listenToTabs(showPanel);
listenToWorkspaces(start);
listenToKeys({
  choose, teach: enter, help: showHelp, undoStroke: () => board.undo(), clear: () => byId("clear").click(),
  undoChange: () => change(() => post("/page/undo", {}), say("undone")), leave: () => byId("board").focus(),
});
window.addEventListener("unhandledrejection", (event) => report(event.reason)); // whatever a panel asked for in vain
watchServer(start);
start();
