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
import { explain } from "./server/errors.js";
import { watchServer } from "./server/presence.js";
import { byId, element } from "./ui/dom.js";
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

let leave = new AbortController(); // ends the life of the view that is shown

async function show() {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const [name, id = ""] = location.hash.slice(1).split("/");
  const chosen = VIEWS[name] ?? VIEWS.models;
  markTab(chosen.tab);
  const view = element("div", { class: "view" });
  try {
    await chosen.show(view, decodeURIComponent(id), signal);
  } catch (error) {
    if (signal.aborted) return;
    showError(error);
    view.replaceChildren(element("p", { class: "empty" }, explain(error)));
  }
  if (signal.aborted) return;
  byId("view").replaceChildren(view);
  view.dispatchEvent(new Event("shown")); // plots need to know how wide they are
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
  byId("count").textContent = String(running);
  byId("count").hidden = !running;
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
watchServer(start);
start();
