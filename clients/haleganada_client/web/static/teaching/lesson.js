// One drawing and what the reader says it is, on its way to the server.

import { makeRequestId, post } from "../server/api.js";

export class Lesson {
  #version;
  #body;

  /**
   * @param {number} version  of the slate
   * @param {string} label
   * @param {string} variantOf  the letter that it is a form of, or ""
   */
  constructor(version, label, variantOf) {
    this.#version = version;
    this.#body = { label, variant_of: variantOf, request_id: makeRequestId() };
  }

  /** Return whether a lesson of these would be this one.
   * @param {number} version
   * @param {string} label
   * @param {string} variantOf
   */
  isSame(version, label, variantOf) {
    return this.#version === version && this.#body.label === label && this.#body.variant_of === variantOf;
  }

  /** Teach it. A label other than the one that the server claimed corrects that claim; everything else is simply taught.
   * @param {Drawing} drawing
   * @param {Prediction | null} prediction  of this drawing
   * @returns {Promise<Taught>}
   */
  async send(drawing, prediction) {
    if (prediction && isWrong(prediction, this.#body.label)) {
      try {
        /** @type {Correction} */
        const { taught } = await post("/page/correct", { ...this.#body, prediction_id: prediction.prediction_id });
        return taught;
      } catch (error) {
        if (error.reason !== "PREDICTION_NOT_FOUND") throw error; // the server has restarted since
      }
    }
    return post("/page/train", { ...this.#body, ...drawing });
  }
}

/**
 * @param {Prediction} prediction
 * @param {string} label  the right one
 */
function isWrong({ decision, candidates: [best] }, label) {
  return Boolean(best) && ["recognized", "unsure"].includes(decision) && best.label !== label;
}
