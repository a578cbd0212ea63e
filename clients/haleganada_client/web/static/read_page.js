// The page that reads scans, photos and PDFs. The address names what is shown, so that it outlives a reload: # is the
// desk with what was read lately, #reading/ID and #reading/ID/PAGE one page beside its text.

import { listenToLanguage } from "./i18n/chooser.js";
import { say, translatePage } from "./i18n/words.js";
import { showDesk } from "./reading/desk.js";
import { showReading } from "./reading/viewer.js";
import { watchServer } from "./server/presence.js";
import { listenToLogOut } from "./ui/log_out.js";
import { replaceView } from "./ui/navigation.js";
import { watchScreen } from "./ui/screen.js";
import { showError, showStatus } from "./ui/status.js";
import { listenToTheme } from "./ui/theme.js";
import { listenToWorkspaces, showWorkspaces } from "./workspace/switcher.js";

function show() {
  const [name, ...rest] = location.hash.slice(1).split("/");
  return replaceView(name === "reading" ? showReading : showDesk, rest.join("/"));
}

async function start() {
  translatePage();
  document.title = `${say("read")} · Haleganada`;
  await showWorkspaces().catch(showError);
  await show();
}

window.addEventListener("hashchange", () => {
  showStatus("");
  show();
});
window.addEventListener("unhandledrejection", (event) => showError(event.reason));
listenToLanguage(start);
listenToTheme(() => {});
listenToWorkspaces(show);
watchScreen();
listenToLogOut();
watchServer(start);
start();
