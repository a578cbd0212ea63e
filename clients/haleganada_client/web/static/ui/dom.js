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
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return /** @type {any} */ (found);
}

/** Build an element: element("a", { href, onclick, class }, child, "text", [more, children]).
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (isGiven(value)) node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter(isGiven).map(asNode));
  return node;
}

/** Build a button.
 * @param {Child} text
 * @param {(event: MouseEvent) => unknown} onclick
 * @param {Attributes} attributes
 */
export const button = (text, onclick, attributes = {}) =>
  element("button", { type: "button", onclick, ...attributes }, text);

/** Return a color of theme.css as it is now, "rgba(…)".
 * @param {string} token  the name of a custom property, as --good
 * @param {number} share  how opaque, 0 to 1
 */
export function themeColor(token, share = 1) {
  const probe = element("span");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color.replace("rgb(", "rgba(").replace(")", `, ${share})`);
}

/** @param {unknown} value */
const isGiven = (value) => value !== false && value !== null && value !== undefined;

/** @param {Child} child */
const asNode = (child) => (child instanceof Node ? child : String(child));
