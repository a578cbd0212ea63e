// The page where a token is typed, once for some hours. ?next= is the page that was asked for.

import { listenToLanguage } from "./i18n/chooser.js";
import { say, translatePage } from "./i18n/words.js";
import { post } from "./server/api.js";
import { getById } from "./ui/dom.js";
import { showError, showStatus } from "./ui/status.js";
import { listenToTheme } from "./ui/theme.js";

function start() {
  translatePage();
  document.title = `${say("logIn")} · Haleganada`;
  getById("token").focus();
}

/** Return the address of the page that was asked for, which is one of this site. */
function findNext() {
  const next = new URL(new URLSearchParams(location.search).get("next") ?? "/", location.origin);
  return next.origin === location.origin && next.pathname !== location.pathname ? next.href : "/";
}

getById("log-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  showStatus("");
  try {
    await post("/page/login", { token: getById("token").value });
    location.replace(findNext());
  } catch (error) {
    getById("token").value = "";
    getById("token").focus();
    showError(error);
  }
});
listenToLanguage(start);
listenToTheme(() => {});
start();
