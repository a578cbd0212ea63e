// The page for those who train: models, data sets, trainings. The address names what is shown, so that it outlives a
// reload: #models, #datasets, #dataset/ID, #jobs, #job/ID, #train, #train/DATASET, #again/JOB.

import { get } from "../api.js";
import { byId, element } from "../dom.js";
import { watchServer } from "../presence.js";
import { explain } from "../refusals.js";
import { report, tell } from "../status.js";
import { listenToTheme } from "../theme.js";
import { say, switchLanguage, translatePage } from "../words.js";
import { listenToWorkspaces, showWorkspaces } from "../workspaces.js";
import { showDataset } from "./dataset.js";
import { showDatasets } from "./datasets.js";
import { showJob } from "./job.js";
import { showJobs } from "./jobs.js";
import { showModels } from "./models.js";
import { trainAgain, trainOn } from "./training.js";

// name: [what shows it, the tab that it belongs to]. show(view, id, life): fills `view` and stops when `life` is over.
const VIEWS = {
  models: [showModels, "models"],
  datasets: [showDatasets, "datasets"],
  dataset: [showDataset, "datasets"],
  jobs: [showJobs, "jobs"],
  job: [showJob, "jobs"],
  train: [trainOn, "jobs"],
  again: [trainAgain, "jobs"],
};

let leave = new AbortController();

async function show() {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const [name, id = ""] = location.hash.slice(1).split("/");
  const [fill, tab] = VIEWS[name] ?? VIEWS.models;
  markTab(tab);
  const view = element("div", { class: "view" });
  try {
    await fill(view, decodeURIComponent(id), signal);
  } catch (error) {
    if (signal.aborted) return;
    report(error);
    view.replaceChildren(element("p", { class: "empty" }, error.isAbsence ? say("noAnswer") : explain(error)));
  }
  if (signal.aborted) return;
  byId("view").replaceChildren(view);
  view.dispatchEvent(new Event("shown")); // plots need to know how wide they are
}

function markTab(tab) {
  for (const link of document.querySelectorAll("[data-view]")) {
    if (link.dataset.view === tab) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

async function countJobs() {
  const jobs = await get("/page/jobs", { limit: 20 });
  const going = jobs.filter(({ state }) => ["queued", "running"].includes(state)).length;
  byId("count").textContent = going;
  byId("count").hidden = !going;
}

async function start() {
  translatePage();
  document.title = `${say("models")} · Haleganada`;
  await showWorkspaces().catch(report);
  countJobs().catch(report);
  await show();
}

window.addEventListener("hashchange", () => { tell(""); countJobs().catch(report); show(); scrollTo(0, 0); });
window.addEventListener("jobs", () => countJobs().catch(report)); // one of them has begun or ended
window.addEventListener("unhandledrejection", (event) => report(event.reason));
byId("language").addEventListener("click", () => { tell(""); switchLanguage(); start(); });
listenToTheme(show);
listenToWorkspaces(show);
watchServer(start);
start();
