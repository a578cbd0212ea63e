// Runs before the first paint, so that the page never flashes in the other theme.
document.documentElement.dataset.theme = (() => {
  try {
    return localStorage.getItem("theme") || "auto";
  } catch {
    return "auto"; // the browser keeps nothing
  }
})();
