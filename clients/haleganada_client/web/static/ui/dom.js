// Finding and building elements. Text only ever enters as text, never as markup, so a label may be anything.

/**
 * @typedef {Node | string | number | false | null | undefined} Child  What is left out: false, null and undefined.
 * @typedef {{
 *   [name: string]: unknown,
 *   onclick?: (event: MouseEvent) => unknown,
 *   onchange?: (event: Event) => unknown,
 *   oninput?: (event: Event) => unknown,
 *   onload?: (event: Event) => unknown,
 *   onsubmit?: (event: SubmitEvent) => unknown,
 * }} Attributes  Values of false, null and undefined are left out; true stands for an attribute without value.
 */

/** Return an element of the page. Throws if there is none with the id.
 * @template {string} Id
 * @param {Id} id
 * @returns {Id extends keyof PageElements ? PageElements[Id] : HTMLElement}
 */
export function getById(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return /** @type {any} */ (found);
}

/** Build an element: makeElement("a", { href, onclick, class }, child, "text", [more, children]).
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function makeElement(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (isGiven(value)) node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter(isGiven).map(toNode));
  return node;
}

/** Build a button.
 * @param {Child} text
 * @param {(event: MouseEvent) => unknown} onclick
 * @param {Attributes} attributes
 */
export const makeButton = (text, onclick, attributes = {}) =>
  makeElement("button", { type: "button", onclick, ...attributes }, text);

/** Replace what an element holds. Where that had the focus, what has the same name has it then, or what stands in the same
 * place.
 * @param {HTMLElement} parent
 * @param {...(Node | string)} nodes
 */
export function replaceKeepingFocus(parent, ...nodes) {
  const focused = document.activeElement;
  const before = findControls(parent);
  const place = focused ? before.indexOf(/** @type {HTMLElement} */ (focused)) : -1;
  parent.replaceChildren(...nodes);
  if (place < 0) return;
  const after = findControls(parent);
  const same = after.find((control) => getName(control) === getName(before[place]));
  const next = same ?? after.at(place) ?? after.at(-1);
  if (next) next.focus({ preventScroll: true });
  else focusMain();
}

/** Move the focus from what has gone to what the page is for: the slate, or the view. */
export function focusMain() {
  /** @type {HTMLElement | null} */ (document.querySelector("main [tabindex]"))?.focus({ preventScroll: true });
}

/** Return a color of theme.css as it is now, "rgba(…)".
 * @param {string} token  the name of a custom property, as --good
 * @param {number} share  how opaque, 0 to 1
 */
export function getThemeColor(token, share = 1) {
  const probe = makeElement("span");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color.replace("rgb(", "rgba(").replace(")", `, ${share})`);
}

/** @param {HTMLElement} parent
 * @returns {HTMLElement[]} */
const findControls = (parent) =>
  [...parent.querySelectorAll("button, input, select, a")].map((one) => /** @type {HTMLElement} */ (one));

/** @param {HTMLElement} control */
const getName = (control) => control.ariaLabel || control.textContent;

/** @param {unknown} value */
const isGiven = (value) => value !== false && value !== null && value !== undefined;

/** @param {Child} child */
const toNode = (child) => (child instanceof Node ? child : String(child));
