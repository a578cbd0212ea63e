// Many pictures to teach, one after another: each is shown on the slate with the label that its name, its folder or the
// prediction suggests; teaching it shows the next.

import { say } from "../i18n/words.js";
import { getById } from "../ui/dom.js";
import { showError } from "../ui/status.js";
import { showFilmstrip } from "./filmstrip.js";
import { areFoldersDigits, guessLabel } from "./label_names.js";
import { isPicture } from "./read.js";

/**
 * @typedef {import("./read.js").Picture} Picture
 * @typedef {import("./transfer.js").FoundFile} FoundFile
 * @typedef {"waiting" | "taught" | "refused"} ItemState  refused: the file is no picture.
 * @typedef {{ file: File, name: string, guess: string, state: ItemState, revision: number }} Item  revision: of its lesson.
 */

const NAMED = 3; // files that a message names

export class PictureQueue {
  #board;
  #form;
  /** @type {Item[]} */
  #items = [];
  #at = 0;
  /** @type {Picture | null} */
  #shown = null;
  #suggested = ""; // what the box got from here, and may be replaced
  /** @type {Promise<Picture | null>} */
  #opening = Promise.resolve(null); // the picture that is read for the slate

  /**
   * @param {import("../drawing/board.js").Board} board  shows the pictures
   * @param {import("../teaching/form.js").TeachForm} form  shows their labels
   */
  constructor(board, form) {
    this.#board = board;
    this.#form = form;
  }

  /** Whether pictures wait here. One alone does not: it is just shown. */
  get isOpen() {
    return this.#items.length > 1;
  }

  /** Add files and show the first, if none is shown yet. Say which are no pictures.
   * @param {FoundFile[]} files
   */
  async add(files) {
    const pictures = files.filter(({ file }) => isPicture(file));
    if (!this.isOpen || this.#findWaiting(0) < 0) this.#empty();
    const first = this.#items.length;
    const areDigits = areFoldersDigits(pictures.map(({ path }) => path));
    for (const { file, path } of pictures) {
      this.#items.push({ file, name: path, guess: guessLabel(path, areDigits), state: "waiting", revision: 0 });
    }
    if (first) this.show();
    else if (pictures.length) await this.#goTo(0);
    await this.#opening;
    tellRefused(files.filter(({ file }) => !isPicture(file)).map(({ path }) => path));
  }

  /** Go on to the next picture if this one is what has been taught.
   * @param {Picture | null} picture
   * @param {number} revision
   */
  async noteTaught(picture, revision) {
    if (!picture || picture !== this.#shown) return;
    Object.assign(this.#items[this.#at], { state: "taught", revision });
    await this.#goOn();
  }

  /** Show a picture again whose lesson was taken back. Returns false if it is none of these.
   * @param {number} revision
   */
  async takeBack(revision) {
    const i = this.#items.findIndex((item) => item.revision === revision);
    if (!this.isOpen || i < 0) return false;
    Object.assign(this.#items[i], { state: "waiting", revision: 0 });
    await this.#goTo(i);
    return true;
  }

  /** Fill in what the server takes the picture for, unless its name said it or somebody has typed.
   * @param {Prediction} prediction
   */
  suggest({ decision, candidates: [best] }) {
    const isShown = this.isOpen && this.#shown && this.#board.content.picture === this.#shown;
    if (!isShown || this.#items[this.#at].guess || !["recognized", "unsure"].includes(decision)) return;
    this.#fillIn(best.label);
  }

  /** Go on without teaching this picture. */
  skip() {
    return this.#goOn();
  }

  /** Let all pictures go; what is on the slate stays. */
  end() {
    this.#empty();
    this.show();
  }

  #empty() {
    this.#items = [];
    this.#at = 0;
    this.#shown = null;
  }

  /** @param {number} from */
  #findWaiting(from) {
    return this.#items.findIndex(({ state }, i) => i >= from && state === "waiting");
  }

  async #goOn() {
    const later = this.#findWaiting(this.#at + 1);
    const next = later < 0 ? this.#findWaiting(0) : later;
    if (next >= 0 && next !== this.#at) {
      await this.#goTo(next);
      return;
    }
    if (next < 0) this.#shown = null;
    this.show();
  }

  /** @param {number} i */
  async #goTo(i) {
    const item = this.#items[i];
    this.#at = i;
    this.#shown = null;
    this.show();
    this.#opening = this.#board.show(item.file).catch(() => null);
    const picture = await this.#opening;
    if (this.#items[this.#at] !== item) return; // gone on meanwhile
    if (!picture) {
      item.state = "refused";
      await this.#goOn();
      tellRefused([item.name]);
      return;
    }
    this.#shown = picture;
    this.#fillIn(item.guess, this.isOpen || item.guess !== "");
    if (this.isOpen) this.#form.focus();
  }

  /** Put a label into the box.
   * @param {string} label
   * @param {boolean} always  also in place of one that did not come from here
   */
  #fillIn(label, always = false) {
    if (!always && getById("label").value !== this.#suggested) return;
    this.#suggested = label;
    this.#form.suggest(label);
  }

  /** Show which pictures wait. */
  show() {
    showFilmstrip(this.isOpen ? this.#items : [], this.#at, {
      choose: (i) => this.#goTo(i),
      skip: () => this.skip(),
      end: () => this.end(),
    });
  }
}

/** Say which files are no pictures. The page clears an error when the slate changes, so that comes before.
 * @param {string[]} names
 */
function tellRefused(names) {
  if (!names.length) return;
  const some = names.slice(0, NAMED).join(", ") + (names.length > NAMED ? " …" : "");
  const isOne = names.length === 1;
  showError(
    new Error(isOne ? say("noPicture", { name: some }) : say("noPictures", { count: names.length, names: some })),
  );
}
