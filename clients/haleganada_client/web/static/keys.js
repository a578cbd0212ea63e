// The page by keyboard. Single keys can be switched off (help), since they get in the way of some screen readers and voice input.

const TYPING = "input:not([type=range]):not([type=checkbox]):not([type=file]), select, textarea, dialog";
const OWN_ENTER = "button, a, summary, label, [role=tab]";

export const keysAreOn = () => localStorage.getItem("keys") !== "off";
export const switchKeys = (on) => localStorage.setItem("keys", on ? "on" : "off");

// actions: choose(i), teach, undoStroke, clear, undoChange, help, leave. Each is called only when nobody is typing.
export function listenToKeys(actions) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest(TYPING);
    if (typing) {
      if (event.key === "Escape" && !event.target.closest("dialog")) actions.leave();
      return;
    }
    if (run(event, actions)) event.preventDefault();
  });
}

// True if the key meant something.
function run(event, actions) {
  const { key } = event;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && key.toLowerCase() === "z") {
    (event.shiftKey ? actions.undoChange : actions.undoStroke)();
    return true;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || !keysAreOn()) return false;
  if (key >= "1" && key <= "5") return actions.choose(Number(key) - 1);
  if (key === "Enter" && event.target.closest(OWN_ENTER)) return false;
  const action = { Enter: actions.teach, Backspace: actions.undoStroke, Delete: actions.clear, "?": actions.help }[key];
  action?.();
  return Boolean(action);
}
