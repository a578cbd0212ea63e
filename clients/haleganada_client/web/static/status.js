// One line that says what has just been done or refused, and offers to take it back.

import { byId } from "./dom.js";
import { explain } from "./refusals.js";
import { say } from "./words.js";

// onUndo: what the Undo button beside the line does; without one there is no button. link: where to go on, behind it.
export function tell(message, onUndo = null, link = null) {
  show(message, false, onUndo, link);
}

export function report(error) {
  show(say("failed", { error: error.isAbsence ? byId("lost").textContent.trim() : explain(error) }), true, null);
}

// What was refused is past: the reader draws on, or the server is back. What was done stays, and so does its Undo.
export function forgetRefusal() {
  if (byId("status").classList.contains("bad")) tell("");
}

function show(message, bad, onUndo, link = null) {
  byId("status").replaceChildren(message, ...(link ? [" ", link] : []));
  byId("status").classList.toggle("bad", bad);
  byId("undo").hidden = !onUndo;
  byId("undo").onclick = onUndo;
}
