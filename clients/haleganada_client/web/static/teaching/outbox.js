// Drawings on their way to the server. Each is kept before it is sent, and until the server has it, so that none is lost with the
// connection or the page; each bears a request id, so that none is taught twice; and one is sent after the other.

import { getWorkspace, makeRequestId, post } from "../server/api.js";
import { addWaiting, listWaiting, removeWaiting, replaceWaiting } from "./waiting_store.js";

const REFUSALS = [400, 403, 404, 409, 413]; // statuses of HTTP that will not change by waiting
const TURN = "haleganada outbox"; // of all tabs; insecure contexts have no locks, there only this tab's

/**
 * @typedef {import("./waiting_store.js").WaitingLesson} WaitingLesson
 * @typedef {{ resolve: (taught: Taught | null) => void, reject: (error: Error) => void }} Asker
 */

/** Dispatches "change" when what waits has changed, and "sent" when something that waited was taught. */
export class Outbox extends EventTarget {
  /** @type {Map<number, Asker>} */
  #askers = new Map();
  #turn = Promise.resolve();

  /** Teach a drawing. Resolves to null if it waits for the server, with its key in `key`; rejects if the server refuses it.
   * @param {string} label
   * @param {string} variantOf  the letter that it is a form of, or ""
   * @param {Drawing} drawing
   * @param {Prediction | null} prediction  of this drawing
   * @returns {Promise<{ taught: Taught | null, key: number }>}
   */
  async teach(label, variantOf, drawing, prediction) {
    const corrects = prediction && isWrong(prediction, label) ? prediction.prediction_id : "";
    const body = { label, variant_of: variantOf, request_id: makeRequestId() };
    const key = await addWaiting({ workspace: getWorkspace(), body, drawing, prediction: corrects, problem: "" });
    const taught = await new Promise((resolve, reject) => {
      this.#askers.set(key, { resolve, reject });
      this.send();
    });
    return { taught, key };
  }

  /** Send what waits, in order, as far as the server takes it. */
  send() {
    this.#turn = this.#turn.then(() => inTurn(() => this.#sendAll())).catch((error) => this.#giveUp(error));
    return this.#turn;
  }

  /** Return what waits, oldest first; with `problem`, what the server refused. */
  list() {
    return listWaiting();
  }

  /** Let lessons go that are not taught yet. Resolves to whether all were still there.
   * @param {number[]} keys
   */
  async discard(keys) {
    const found = await Promise.all(keys.map(removeWaiting));
    this.#tell("change");
    return found.every(Boolean);
  }

  async #sendAll() {
    for (;;) {
      const lesson = (await listWaiting()).find(({ problem }) => !problem);
      if (!lesson || !(await this.#sendOne(lesson))) break;
    }
    for (const { resolve } of this.#askers.values()) resolve(null);
    this.#askers.clear();
    this.#tell("change");
  }

  /** Return whether to go on with the next one.
   * @param {WaitingLesson & { key: number }} lesson
   */
  async #sendOne(lesson) {
    const asker = this.#askers.get(lesson.key);
    try {
      const taught = await sendLesson(lesson);
      if (asker) asker.resolve(taught);
      else this.#tell("sent");
    } catch (error) {
      const isKnown = error.reason === "REQUEST_ID_REUSED"; // its answer was lost: nobody else has this id
      const isFinal = asker ? !error.isAbsence : REFUSALS.includes(error.status);
      if (!isKnown && !isFinal) return false;
      if (!isKnown && !asker) {
        await replaceWaiting({ ...lesson, problem: error.message });
        return true;
      }
      asker?.reject(error); // the drawing is still on the slate
    }
    this.#askers.delete(lesson.key);
    await removeWaiting(lesson.key);
    return true;
  }

  /** @param {Error} error */
  #giveUp(error) {
    for (const { reject } of this.#askers.values()) reject(error);
    this.#askers.clear();
  }

  /** @param {"change" | "sent"} name */
  #tell(name) {
    this.dispatchEvent(new Event(name));
  }
}

/** Do something while no other tab does. Where the browser has no locks, or grants none, do it at once.
 * @param {() => Promise<void>} run
 */
async function inTurn(run) {
  let isOurs = false;
  try {
    await navigator.locks.request(TURN, () => {
      isOurs = true;
      return run();
    });
  } catch (error) {
    if (isOurs) throw error;
    await run();
  }
}

/** A label other than the one that the server claimed corrects that claim; everything else is simply taught.
 * @param {WaitingLesson} lesson
 * @returns {Promise<Taught>}
 */
async function sendLesson({ workspace, body, drawing, prediction }) {
  if (prediction) {
    try {
      /** @type {Correction} */
      const { taught } = await post("/page/correct", { ...body, prediction_id: prediction }, { workspace });
      return taught;
    } catch (error) {
      if (error.reason !== "PREDICTION_NOT_FOUND") throw error; // the server has restarted since
    }
  }
  return post("/page/train", { ...body, ...drawing }, { workspace });
}

/**
 * @param {Prediction} prediction
 * @param {string} label  the right one
 */
function isWrong({ decision, candidates: [best] }, label) {
  return Boolean(best) && ["recognized", "unsure"].includes(decision) && best.label !== label;
}
