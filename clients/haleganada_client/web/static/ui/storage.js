// What the browser keeps for the pages. One that keeps nothing (cookies and site data are blocked) is served all the same:
// the page itself remembers until it is left.

class Kept {
  #open;
  /** @type {Map<string, string>} */
  #unkept = new Map(); // what the browser did not take

  /** @param {() => Storage} open  throws where nothing may be kept */
  constructor(open) {
    this.#open = open;
  }

  /** Return what was kept under a name, null if nothing was.
   * @param {string} name
   */
  get(name) {
    try {
      return this.#open().getItem(name) ?? this.#unkept.get(name) ?? null;
    } catch {
      return this.#unkept.get(name) ?? null;
    }
  }

  /** Keep a text, in place of what was there before. What has no room is kept until the page is left.
   * @param {string} name
   * @param {string} value
   */
  set(name, value) {
    try {
      this.#open().removeItem(name);
      this.#open().setItem(name, value);
      this.#unkept.delete(name);
    } catch {
      this.#unkept.set(name, value);
    }
  }
}

/** The reader's choices, in all tabs. */
export const settings = new Kept(() => localStorage);

/** What this tab shows, until it is closed. */
export const tab = new Kept(() => sessionStorage);
