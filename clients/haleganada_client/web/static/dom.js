// Building elements. Text only ever enters as text, never as markup, so a label may be anything.

export const byId = (id) => document.getElementById(id);

// element("a", { href, onclick, class }, child, "text", ...): null, false and undefined are left out everywhere.
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const button = (text, onclick, attributes = {}) => element("button", { type: "button", onclick, ...attributes }, text);

// A colour of theme.css as it is now, "rgb(…)"; share: how opaque, 0 to 1.
export function colour(token, share = 1) {
  const probe = element("span");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color.replace("rgb(", "rgba(").replace(")", `, ${share})`);
}
