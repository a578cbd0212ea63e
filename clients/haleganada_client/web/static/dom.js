// Building elements. Text only ever enters as text, never as markup, so a label may be anything.

export const byId = (id) => document.getElementById(id);

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// Asks for a text in a dialog; null when cancelled.
export function ask(question, { value = "", picture = null, danger = false } = {}) {
  const dialog = byId("dialog");
  const input = byId("dialog-input");
  byId("dialog-text").textContent = question;
  dialog.querySelector("img")?.remove();
  if (picture) dialog.querySelector("form").prepend(element("img", { src: picture, alt: "" }));
  dialog.querySelector('[value="ok"]').classList.toggle("danger", danger);
  input.value = value;
  dialog.returnValue = "cancel";
  dialog.showModal();
  input.select();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok" ? input.value.trim() : null), { once: true });
  });
}
