// What the browser keeps for the pages. One that keeps nothing (cookies and site data are blocked) is served all the same:
// the page itself remembers until it is left, and what the reader has chosen travels in the addresses of the other pages.

const CARRIED = ["workspace", "language", "theme", "keys", "together"]; // choices that hold on every page

class Kept {
  #open;
  #carried;
  /** @type {Map<string, string>} */
  #unkept = new Map(); // what the browser did not take

  /**
   * @param {() => Storage} open  throws where nothing may be kept
   * @param {string[]} carried  names of what travels in addresses where it cannot be kept
   */
  constructor(open, carried = []) {
    this.#open = open;
    this.#carried = carried;
    const given = new URLSearchParams(location.search);
    for (const name of carried) if (given.has(name)) this.#unkept.set(name, given.get(name) ?? "");
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

  /** Keep a text, in place of what was there before. What has no room is kept until the page is left, or carried along.
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
      this.carry();
    }
  }

  /** Put what the browser does not keep into the address of this page, for a reload, and into those of links to others. */
  carry() {
    const unkept = this.#carried.flatMap((name) => {
      const value = this.#unkept.get(name);
      return value === undefined ? [] : [/** @type {[string, string]} */ ([name, value])];
    });
    if (!unkept.length) return;
    history.replaceState(history.state, "", addTo(location.href, unkept));
    for (const link of document.querySelectorAll("a")) {
      if (link.matches('[href^="/"]:not([download])')) link.setAttribute("href", addTo(link.href, unkept));
    }
  }
}

/** Return an address of this site with parameters.
 * @param {string} address
 * @param {[string, string][]} parameters
 */
function addTo(address, parameters) {
  const url = new URL(address);
  for (const [name, value] of parameters) url.searchParams.set(name, value);
  return url.pathname + url.search + url.hash;
}

/** The reader's choices, in all tabs. */
export const settings = new Kept(() => localStorage, CARRIED);
settings.carry();

/** What this tab shows, until it is closed. */
export const tab = new Kept(() => sessionStorage);
