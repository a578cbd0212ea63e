// Deleting what the page of models lists, once it was confirmed.

import { say } from "../i18n/words.js";
import { post } from "../server/api.js";
import { askForName, askWhether } from "./dialog.js";
import { showError } from "./status.js";

/**
 * @typedef {object} Deletion
 * @property {string} path  of what is deleted
 * @property {string} name
 * @property {string} text  what the reader should know
 * @property {(message: string) => unknown} done  shows that it is gone
 */

/** Delete what is worth typing its name for.
 * @param {Deletion} deletion
 */
export async function deleteByName(deletion) {
  const { name, text } = deletion;
  const confirm = await askForName(say("deleteTitle", { name }), name, text, say("delete"));
  if (confirm !== null) await carryOut(deletion, { confirm });
}

/** Delete what is worth less.
 * @param {Deletion} deletion
 */
export async function deleteIfSure(deletion) {
  const { name, text } = deletion;
  if (await askWhether(say("deleteTitle", { name }), text, say("delete"))) await carryOut(deletion, {});
}

/**
 * @param {Deletion} deletion
 * @param {object} body
 */
async function carryOut({ path, name, done }, body) {
  try {
    await post(`${path}/delete`, body);
    await done(say("deleted", { name }));
  } catch (error) {
    showError(error);
  }
}
