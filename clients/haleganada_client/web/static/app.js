// The page: draw, see what it is, say what it is. Everything else is in the modules beside this one.

import { prediction, showPrediction } from "./answer.js";
import { chooseWorkspace, currentWorkspace, get, post, requestId } from "./api.js";
import { Board } from "./board.js";
import { ask, byId, element } from "./dom.js";
import { showFigures } from "./figures.js";
import { showGallery } from "./gallery.js";
import { showKeep } from "./keep.js";
import { say, switchLanguage, translatePage } from "./words.js";

const RETRY_MS = 2000;
const LETTERS = "ಅಆಇಈಉಊಋಎಏಐಒಓಔಕಖಗಘಙಚಛಜಝಞಟಠಡಢಣತಥದಧನಪಫಬಭಮಯರಱಲವಶಷಸಹಳೞ೦೧೨೩೪೫೬೭೮೯";

const board = new Board(byId("board"), drawn);
let stats = null;
let asking = null;

// Recognising

function drawn() {
  byId("hint").hidden = !board.isEmpty;
  recognise();
}

async function recognise() {
  asking?.abort();
  if (board.isEmpty) {
    showPrediction(null);
    return;
  }
  asking = new AbortController();
  try {
    showPrediction(await post("/page/predict", board.drawing(), asking.signal), choose);
    serverAnswers(true);
  } catch (error) {
    if (error.name === "AbortError") return;
    showPrediction(null);
    if (error.status === 503 || error.status === 504) {
      serverAnswers(false);
      setTimeout(() => byId("lost").hidden || recognise(), RETRY_MS);
    } else report(error);
  }
}

function serverAnswers(yes) {
  const was = byId("lost").hidden;
  byId("lost").hidden = yes;
  if (yes && !was) refresh();
}

// Teaching

async function teach(label) {
  if (board.isEmpty) {
    tell(say("nothingDrawn"), true);
    return;
  }
  const variantOf = byId("more").open ? byId("canonical").value : "";
  const before = board.clear();
  const drawing = withBoard(before);
  await changed(
    () => post("/page/train", { ...drawing, label, variant_of: variantOf, request_id: requestId() }),
    say("taught", { label }), () => board.bringBack(before),
  );
}

function withBoard(before) {
  board.bringBack(before);
  const drawing = board.drawing();
  board.clear();
  return drawing;
}

// One click on a candidate says "this is it", whether it came first or not.
async function choose(candidate) {
  const answer = prediction();
  const before = board.clear();
  await changed(
    () => post("/page/correct", { prediction_id: answer.prediction_id, label: candidate.label, request_id: requestId() }),
    say("corrected", { label: candidate.label }), () => board.bringBack(before),
  );
}

// Run a change, say what happened, show the new state. onFailure puts the drawing back.
async function changed(change, message, onFailure = () => {}) {
  try {
    const answer = await change();
    byId("label").value = "";
    showPrediction(null);
    tell(message ?? answer);
    serverAnswers(true);
    await refresh();
  } catch (error) {
    onFailure();
    byId("hint").hidden = !board.isEmpty;
    report(error);
  }
}

function report(error) {
  if (error.status === 503 || error.status === 504) serverAnswers(false);
  tell(say("failed", { error: error.message || say("lost") }), true);
}

function tell(message, bad = false) {
  byId("status").textContent = message;
  byId("status").classList.toggle("bad", bad);
}

// The state below the board

async function refresh() {
  stats = await get("/page/stats");
  byId("known").replaceChildren(...stats.labels.map((label) => element("option", { value: label.label })));
  const heads = stats.labels.filter((label) => label.canonical === label.label);
  byId("canonical").replaceChildren(element("option", { value: "" }, say("none")), ...heads.map((label) => element("option", { value: label.label }, label.label)));
  await showTab();
}

const TABS = {
  gallery: () => showGallery(stats, changed),
  figures: () => showFigures(stats),
  keep: () => showKeep(changed),
};

async function showTab(name = document.querySelector('[role="tab"][aria-selected="true"]').getAttribute("aria-controls")) {
  for (const tab of document.querySelectorAll('[role="tab"]')) {
    const chosen = tab.getAttribute("aria-controls") === name;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !chosen;
  }
  await TABS[name]();
}

// Workspaces

async function showWorkspaces() {
  const found = await get("/page/workspaces");
  if (!found.some((one) => one.name === currentWorkspace())) chooseWorkspace("default");
  const options = found.map((one) => element("option", { value: one.name, selected: one.name === currentWorkspace() }, one.name));
  byId("workspace").replaceChildren(...options, element("option", { value: "" }, say("newWorkspace")));
}

async function pickWorkspace(name) {
  if (!name) {
    name = await ask(say("newWorkspaceQuestion"));
    if (!name) return showWorkspaces();
    try {
      await post("/page/workspaces", { name });
    } catch (error) {
      report(error);
      return showWorkspaces();
    }
  }
  chooseWorkspace(name);
  await showWorkspaces();
  await recognise();
  return refresh();
}

// Wiring

function clear() {
  board.clear();
  drawn();
}

function undoStroke() {
  board.undoStroke();
  drawn();
}

function onKey(event) {
  const typing = event.target.closest("input:not([type=range]), select, textarea, dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const candidate = prediction()?.candidates[Number(event.key) - 1];
  if (candidate) choose(candidate);
  else if (event.key === "Backspace") undoStroke();
  else if (event.key === "Delete") clear();
  else if (event.key === "Enter" && !event.target.closest("button, summary, a")) byId("label").focus();
  else return;
  event.preventDefault();
}

async function picture(file) {
  if (!file?.type.startsWith("image/")) return;
  try {
    await board.show(file);
    drawn();
  } catch {
    tell(say("failed", { error: file.name }), true);
  }
}

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme === "dark" || (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
  board.redraw();
  if (stats) showTab();
}

function wire() {
  byId("clear").addEventListener("click", clear);
  byId("undo-stroke").addEventListener("click", undoStroke);
  byId("undo").addEventListener("click", () => changed(() => post("/page/undo", {}), say("undone")));
  byId("pen").addEventListener("input", (event) => { board.penWidth = Number(event.target.value); board.redraw(); });
  byId("pen").addEventListener("change", recognise);
  byId("file").addEventListener("change", (event) => { picture(event.target.files[0]); event.target.value = ""; });
  byId("teach").addEventListener("submit", (event) => { event.preventDefault(); teach(byId("label").value); });
  byId("theme").addEventListener("click", switchTheme);
  byId("language").addEventListener("click", () => { switchLanguage(); start(); });
  byId("workspace").addEventListener("change", (event) => pickWorkspace(event.target.value));
  document.addEventListener("keydown", onKey);
  document.addEventListener("paste", (event) => picture(event.clipboardData.files[0]));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => { event.preventDefault(); picture(event.dataTransfer.files[0]); });
  for (const tab of document.querySelectorAll('[role="tab"]')) {
    tab.addEventListener("click", () => showTab(tab.getAttribute("aria-controls")));
    tab.addEventListener("keydown", (event) => {
      const next = { ArrowRight: tab.nextElementSibling, ArrowLeft: tab.previousElementSibling }[event.key];
      if (next) { next.focus(); next.click(); }
    });
  }
  byId("palette").replaceChildren(...[...LETTERS].map((letter) => element("button", { type: "button", onclick: () => { byId("label").value += letter; byId("label").focus(); } }, letter)));
}

async function start() {
  translatePage();
  showPrediction(prediction(), choose);
  try {
    await showWorkspaces();
    await refresh();
    serverAnswers(true);
  } catch (error) {
    serverAnswers(false);
    setTimeout(start, RETRY_MS);
  }
}

document.documentElement.dataset.theme = localStorage.getItem("theme") || "auto";
wire();
start();
