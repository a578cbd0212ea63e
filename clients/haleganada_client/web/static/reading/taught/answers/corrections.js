// Corrections of one page on their way: sent one after another, so that typing never waits for an answer. What was not
// answered is asked for again when the server is back. The page as it reads now is here.

import { get, post, server } from "../../../server/api.js";
import { findSame, listGlyphs } from "../glyphs.js";

/** @typedef {import("../glyphs.js").Glyph} Glyph */

/**
 * @typedef {object} Correction
 * @property {Glyph[]} glyphs  that it is about
 * @property {string} [text]  what it says that they are
 * @property {(ids: number[]) => object} make  its message
 * @property {(changed: number) => string} describe  what was done. changed: glyphs of which the text is another now
 */

/**
 * @typedef {object} Done
 * @property {number} before  the page's revision before it
 * @property {string} text  what was said
 */

/** Dispatches "page" with detail { changed: ids, correction | null } when the page reads in another way, "refused" with
 * detail { error, correction }, "idle" when all is answered.
 */
export class Corrections extends EventTarget {
  /** @type {Correction[]} */
  #queue = [];
  #isSending = false;
  #own = 0; // the revision that the last correction from here has made
  /** @type {Done[]} */
  #done = []; // that can be taken back, the last one last

  /**
   * @param {string} address  of the page
   * @param {PageReading} page
   */
  constructor(address, page) {
    super();
    this.address = address;
    this.page = page;
    this.glyphs = listGlyphs(page);
    this.#own = page.revision;
  }

  /** How many corrections are not answered yet. */
  get pending() {
    return this.#queue.length;
  }

  /** The ids of glyphs that an answer is under way for. */
  get waitingIds() {
    return new Set(this.#queue.flatMap(({ glyphs }) => glyphs.map(({ id }) => id)));
  }

  /** Whether the page's labels are names, which spaces part. */
  get areNames() {
    const words = this.page.blocks.flatMap(({ lines }) => lines.flatMap((line) => line.words));
    return words.some(({ text, glyphs }) => glyphs.length > 1 && text.includes(" "));
  }

  /** The last correction that was made here, if it can be taken back. */
  get last() {
    return this.#done.at(-1) ?? null;
  }

  /** Whether somebody else has corrected the page since the last correction from here. */
  get isOvertaken() {
    return this.page.revision !== this.#own;
  }

  /** Send a correction after those that wait.
   * @param {Correction} correction
   */
  add(correction) {
    this.#queue.push(correction);
    this.#work();
  }

  /** Take the last correction back, or what came last on the page if it was not made here.
   * @param {(changed: number) => string} describe
   */
  undo(describe) {
    const make = () => ({ undo: { revision: this.last?.before ?? null }, expected_revision: this.page.revision });
    this.add({ glyphs: [], make, describe });
  }

  /** Ask how the page reads now: others correct it, too, and what is taught elsewhere changes it. */
  async refresh() {
    const page = await get(this.address);
    const { revision, text } = this.page;
    if (page.revision < revision || (page.revision === revision && page.text === text)) return;
    const before = new Map(this.glyphs.map((glyph) => [glyph.id, glyph.text]));
    this.take(page);
    const changed = this.glyphs.filter(({ id, text: now }) => before.get(id) !== now).map(({ id }) => id);
    this.#tell("page", { changed, correction: null });
  }

  /** Go on with a page as it reads now.
   * @param {PageReading} page
   */
  take(page) {
    this.page = page;
    this.glyphs = listGlyphs(page);
  }

  async #work() {
    if (this.#isSending) return;
    this.#isSending = true;
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      try {
        await this.#send(next);
      } catch (error) {
        this.#queue.shift();
        await this.refresh().catch(() => {}); // it may be that the page has changed
        this.#tell("refused", { error, correction: next });
      }
    }
    this.#isSending = false;
    this.#tell("idle", {});
  }

  /** @param {Correction} correction */
  async #send(correction) {
    for (;;) {
      const { revision } = this.page;
      try {
        return this.#settle(correction, revision, await this.#post(correction));
      } catch (error) {
        if (!error.isAbsence) throw error;
      }
      await this.#wait();
      if (this.#wasMade(correction, revision)) {
        this.#settle(correction, revision, { page: this.page, changed_glyph_ids: [] });
        return;
      }
    }
  }

  /** @param {Correction} correction */
  async #post(correction) {
    const found = correction.glyphs.map((glyph) => findSame(this.glyphs, glyph));
    const ids = [...new Set(found.filter((index) => index >= 0).map((index) => this.glyphs[index].id))];
    if (found.some((index) => index < 0)) throw Object.assign(new Error(), { reason: "GLYPH_NOT_FOUND" });
    return post(`${this.address}/corrections`, correction.make(ids));
  }

  /**
   * @param {Correction} correction
   * @param {number} before  the revision that was corrected
   * @param {{ page: PageReading, changed_glyph_ids: number[] }} answer
   */
  #settle(correction, before, { page, changed_glyph_ids: changed }) {
    this.take(page);
    this.#own = page.revision;
    this.#queue.shift();
    if (!correction.glyphs.length) this.#done.pop();
    else if (page.revision > before) this.#done.push({ before, text: correction.text ?? "" }); // or it was so already
    this.#tell("page", { changed, correction });
  }

  /** Wait until the server is back, and ask for the page. */
  async #wait() {
    await new Promise((resolve) => server.addEventListener("found", resolve, { once: true }));
    await this.refresh().catch(() => {});
  }

  /** Return whether a correction that was not answered was made all the same.
   * @param {Correction} correction
   * @param {number} before  the revision that it corrected
   */
  #wasMade({ glyphs, text }, before) {
    if (this.page.revision === before) return false;
    if (!text) return true;
    return glyphs.every((glyph) => this.glyphs[findSame(this.glyphs, glyph)]?.text === text);
  }

  /**
   * @param {string} name
   * @param {object} detail
   */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
