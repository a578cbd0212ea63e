// Runs before the first paint, so that the page never flashes in the other theme.
document.documentElement.dataset.theme = (() => {
  const carried = new URLSearchParams(location.search).get("theme"); // from a page whose browser keeps nothing
  try {
    return localStorage.getItem("theme") || carried || "auto";
  } catch {
    return carried || "auto";
  }
})();
