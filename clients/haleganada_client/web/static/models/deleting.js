// Deleting what this page lists, once it was confirmed.

import { post } from "../api.js";
import { askForName, askWhether } from "../dialog.js";
import { report } from "../status.js";
import { say } from "../words.js";

// Of what is worth typing its name for. done(message): shows that it is gone.
export async function deleteNamed(path, name, text, done) {
  const confirm = await askForName(say("deleteTitle", { name }), name, text, say("delete"));
  if (confirm !== null) await carryOut(path, { confirm }, name, done);
}

// Of what is less worth.
export async function deleteAsked(path, name, text, done) {
  if (await askWhether(say("deleteTitle", { name }), text, say("delete"))) await carryOut(path, {}, name, done);
}

async function carryOut(path, body, name, done) {
  try {
    await post(`${path}/delete`, body);
    await done(say("deleted", { name }));
  } catch (error) {
    report(error);
  }
}
