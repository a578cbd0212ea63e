// Runs before the first paint, so that the page never flashes in the other theme or language.
document.documentElement.dataset.theme = localStorage.getItem("theme") || "auto";
document.documentElement.lang = localStorage.getItem("language") || (navigator.language.startsWith("kn") ? "kn" : "en");
