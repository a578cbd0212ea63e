// Small things that several views are made of.

import { element } from "../dom.js";
import { tell } from "../status.js";
import { count, moment, percent, say } from "../words.js";

const STATES = { queued: "stateQueued", running: "stateRunning", succeeded: "stateSucceeded", failed: "stateFailed", cancelled: "stateCancelled" };
const HASH_SHOWN = 10; // characters, enough to tell two apart
const MINUTE_S = 60;

export const link = (text, to, attributes = {}) => element("a", { href: `#${to}`, ...attributes }, text);

export const place = (kind, id) => `${kind}/${encodeURIComponent(id)}`;

export const back = (word, to) => element("p", { class: "back" }, link(`‹ ${say(word)}`, to));

// Of a job; one that was cancelled and finishes up says so.
export const state = ({ state: name, cancelling }) => element("span", { class: "state", "data-state": name }, say(cancelling ? "stateEnding" : STATES[name]));

export const hash = (sha256) => element("code", { class: "hash", title: sha256 }, sha256.slice(0, HASH_SHOWN) || "–");

export const share = (value) => (value === null || value === undefined ? "–" : percent(value));

export const isOver = (job) => ["succeeded", "failed", "cancelled"].includes(job.state);

// [[value, word], …], the number first and large. What has no value is left out.
export function numbers(facts) {
  const shown = facts.filter(([value]) => value !== null && value !== undefined && value !== "");
  return element("dl", { class: "numbers" }, shown.map(([value, word]) => element("div", {}, element("dt", {}, say(word)), element("dd", {}, value))));
}

// [[name, value], …] as a quiet list.
export function facts(rows) {
  return element("dl", { class: "facts" }, rows.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

// done of total; total 0: somewhere on the way.
export function meter(done, total, name) {
  return element("progress", { class: "meter", "aria-label": name, max: total || false, value: total ? done : false });
}

export function duration(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < MINUTE_S) return say("seconds", { s: whole });
  const minutes = Math.round(whole / MINUTE_S);
  if (minutes < MINUTE_S) return say("minutes", { m: minutes });
  return say("hours", { h: Math.floor(minutes / MINUTE_S), m: minutes % MINUTE_S });
}

// What data sets or models are called where one is chosen: by name, with the date and then the id where that does not tell
// two apart.
export function namesOf(choices) {
  const names = choices.map(({ name }) => name);
  return [({ create_time: made }) => made && moment(made), (one) => one.dataset_id ?? one.model_id].reduce((texts, more) => {
    const isShared = (text) => texts.indexOf(text) !== texts.lastIndexOf(text);
    return texts.map((text, i) => (isShared(text) ? [text, more(choices[i])].filter(Boolean).join(" · ") : text));
  }, names);
}

// What went wrong, and what to do, where it happened.
export const problem = (message) => element("p", { class: "problem", role: "alert" }, message);

// Run once the view is on the page: plots need to know how wide they are.
export function whenShown(view, run) {
  if (view.isConnected) run();
  else view.addEventListener("shown", run, { once: true });
}

// The parts of a data set as one bar, to scale, with their numbers in words.
export function partsBar({ train, validation, test }) {
  const parts = [["train", train, "partTrain"], ["validation", validation, "partValidation"], ["test", test, "partTest"]];
  const pieces = parts.filter(([, n]) => n).map(([name, n]) => {
    const piece = element("span", { class: `part ${name}` });
    piece.style.flexGrow = n;
    return piece;
  });
  return element("div", { class: "parts" }, element("div", { class: "partsbar", "aria-hidden": "true" }, pieces),
    element("p", { class: "note" }, parts.map(([name, n, word]) => element("span", { class: `key ${name}` }, `${say(word)} ${count(n)}`))));
}

// Show another view, and there say what has been done.
export function goTo(view, message) {
  window.addEventListener("hashchange", () => tell(message), { once: true }); // after the page has cleared its line
  location.hash = view;
}
