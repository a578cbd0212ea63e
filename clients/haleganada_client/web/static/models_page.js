// The page for those who train: models, data sets, jobs. The address names what is shown, so that it outlives a reload:
// #models, #datasets, #dataset/ID, #jobs, #job/ID, #train, #train/DATASET, #again/JOB.

import { showDataset } from "./datasets/details.js";
import { showDatasets } from "./datasets/list.js";
import { listenToLanguage } from "./i18n/chooser.js";
import { say, translatePage } from "./i18n/words.js";
import { showJob } from "./jobs/details.js";
import { showJobs } from "./jobs/list.js";
import { trainAgain, trainOn } from "./jobs/training_form.js";
import { showModels } from "./models/list.js";
import { get } from "./server/api.js";
import { watchServer } from "./server/presence.js";
import { getById } from "./ui/dom.js";
import { listenToLogOut } from "./ui/log_out.js";
import { replaceView } from "./ui/navigation.js";
import { watchScreen } from "./ui/screen.js";
import { showError, showStatus } from "./ui/status.js";
import { listenToTheme } from "./ui/theme.js";
import { listenToWorkspaces, showWorkspaces } from "./workspace/switcher.js";

const JOBS_COUNTED = 20; // the newest; of these, those under way are counted

/** What shows a view, and the tab that it belongs to.
 * @type {Record<string, { show: ShowView, tab: string }>}
 */
const VIEWS = {
  models: { show: showModels, tab: "models" },
  datasets: { show: showDatasets, tab: "datasets" },
  dataset: { show: showDataset, tab: "datasets" },
  jobs: { show: showJobs, tab: "jobs" },
  job: { show: showJob, tab: "jobs" },
  train: { show: trainOn, tab: "jobs" },
  again: { show: trainAgain, tab: "jobs" },
};

function show() {
  const [name, id = ""] = location.hash.slice(1).split("/");
  const chosen = VIEWS[name] ?? VIEWS.models;
  markTab(chosen.tab);
  return replaceView((view, text, life) => chosen.show(view, decodeURIComponent(text), life), id);
}

/** @param {string} tab */
function markTab(tab) {
  for (const item of document.querySelectorAll("[data-view]")) {
    if (item.getAttribute("data-view") === tab) item.setAttribute("aria-current", "page");
    else item.removeAttribute("aria-current");
  }
}

async function countJobs() {
  /** @type {Job[]} */
  const jobs = await get("/page/jobs", { limit: JOBS_COUNTED });
  const running = jobs.filter(({ state }) => state === "queued" || state === "running").length;
  getById("count").textContent = String(running);
  getById("count").hidden = !running;
}

async function start() {
  translatePage();
  document.title = `${say("models")} · Haleganada`;
  await showWorkspaces().catch(showError);
  countJobs().catch(showError);
  await show();
}

window.addEventListener("hashchange", () => {
  showStatus("");
  countJobs().catch(showError);
  show();
  scrollTo(0, 0);
});
window.addEventListener("jobs", () => countJobs().catch(showError)); // one of them has begun or ended
window.addEventListener("unhandledrejection", (event) => showError(event.reason));
listenToLanguage(start);
listenToTheme(show);
listenToWorkspaces(show);
watchScreen();
listenToLogOut();
watchServer(start);
start();
