// Every word of the page in its two languages.

const WORDS = {
  en: {
    skip: "Skip to the drawing board", workspace: "Workspace", newWorkspace: "New workspace…", newWorkspaceQuestion: "Name of the new workspace",
    theme: "Light or dark", lost: "The server does not answer. Your drawing is kept; trying again…",
    draw: "Draw a character", boardLabel: "Drawing board. Draw with mouse, finger or pen, or choose a picture.",
    hint1: "Draw a character.", hint2: "Say what it is.", hint3: "Draw it again.",
    undoStroke: "Undo stroke", clear: "Clear", pen: "Pen", picture: "Picture…",
    keys: "Keys: 1–5 choose a candidate, Enter teaches, Backspace undoes a stroke, Delete clears.",
    answer: "What it is", sayWhat: "Say what it is", teach: "Teach", variant: "It is a form of another letter", standsFor: "It stands for",
    palette: "Kannada letters", undo: "Undo last change", cancel: "Cancel", none: "nothing else",
    gallery: "Taught", figures: "Figures", keep: "Keep",
    isRecognised: "I think this is {label}", isUnsure: "I am not sure", isUnknown: "I don't know this one", nothingTaught: "Nothing taught yet: say what this is",
    formOf: "form of {label}", choose: "This is it: teach it", taught: "Learned {label}. Draw it again to see.", corrected: "Learned: this is {label}.",
    undone: "Taken back.", nothingDrawn: "Draw something first.", failed: "That did not work: {error}",
    galleryEmpty: "What you teach appears here.", figuresEmpty: "Figures appear once something was taught.", more: "Show more", samplesOf: "{count} taught",
    sampleName: "Sample {id}: {label}", link: "Link…", unlink: "Unlink", relabelQuestion: "What is it? Leave it empty to forget this drawing.",
    relabelled: "Relabelled.", forgotten: "Forgotten.", linkQuestion: "{label} is a form of which letter?", linked: "Linked.", unlinked: "Unlinked.",
    labels: "Letters", samples: "Drawings", accuracy: "Recognised before learned", meanLoss: "Mean surprise (loss)", corrections: "Corrections", device: "Computed on",
    lossTitle: "Surprise (loss), mean of the last 20", accuracyTitle: "Recognised before learned, % of the last 20", samplesTitle: "Drawings of each letter", tooFew: "Too few drawings yet.",
    confusedTitle: "Taken for one another", takenFor: "{label} was taken for {other} ({count}×)", nextTitle: "Teach these next",
    nextConfused: "{label}, which is taken for {other}", nextFew: "{label}, which has few drawings", suspectsTitle: "Probably mislabelled",
    findSuspects: "Look for them", suspect: "Drawing {id}: says {label}, looks like {other}", noSuspects: "None found.",
    snapshots: "Snapshots", save: "Keep a snapshot…", saveQuestion: "A name for it (optional)", saved: "Kept.", noSnapshots: "None yet. Single drawings are safe anyway: each is on disk before “Learned” appears.",
    restore: "Go back to it", restored: "Restored.", transfer: "Take it with you", export_archive: "Archive", export_folder: "Images", export_jsonl: "JSON lines", export_seed: "Training log",
    importFile: "Import…", imported: "{count} learned, {known} known before, {refused} refused.", startOver: "Start over", reset: "Empty this workspace…",
    resetQuestion: "This moves everything to the trash. Type {name} to go on.", wasReset: "Empty. The snapshot “before reset” brings everything back.",
  },
  kn: {
    skip: "ಬರೆಯುವ ಹಲಗೆಗೆ ಹೋಗಿ", workspace: "ಕಾರ್ಯಕ್ಷೇತ್ರ", newWorkspace: "ಹೊಸ ಕಾರ್ಯಕ್ಷೇತ್ರ…", newWorkspaceQuestion: "ಹೊಸ ಕಾರ್ಯಕ್ಷೇತ್ರದ ಹೆಸರು",
    theme: "ಬೆಳಕು ಅಥವಾ ಕತ್ತಲೆ", lost: "ಸರ್ವರ್ ಉತ್ತರಿಸುತ್ತಿಲ್ಲ. ನಿಮ್ಮ ಚಿತ್ರ ಸುರಕ್ಷಿತವಾಗಿದೆ; ಮತ್ತೆ ಪ್ರಯತ್ನಿಸುತ್ತಿದ್ದೇವೆ…",
    draw: "ಒಂದು ಅಕ್ಷರ ಬರೆಯಿರಿ", boardLabel: "ಬರೆಯುವ ಹಲಗೆ. ಮೌಸ್, ಬೆರಳು ಅಥವಾ ಪೆನ್ನಿನಿಂದ ಬರೆಯಿರಿ, ಇಲ್ಲವೇ ಚಿತ್ರವನ್ನು ಆರಿಸಿ.",
    hint1: "ಒಂದು ಅಕ್ಷರ ಬರೆಯಿರಿ.", hint2: "ಅದು ಏನೆಂದು ಹೇಳಿ.", hint3: "ಮತ್ತೆ ಬರೆದು ನೋಡಿ.",
    undoStroke: "ಗೆರೆ ಅಳಿಸಿ", clear: "ಎಲ್ಲ ಅಳಿಸಿ", pen: "ಪೆನ್", picture: "ಚಿತ್ರ…",
    keys: "ಕೀಲಿಗಳು: 1–5 ಆಯ್ಕೆ, Enter ಕಲಿಸಲು, Backspace ಗೆರೆ ಅಳಿಸಲು, Delete ಎಲ್ಲ ಅಳಿಸಲು.",
    answer: "ಇದು ಏನು", sayWhat: "ಇದು ಏನೆಂದು ಹೇಳಿ", teach: "ಕಲಿಸಿ", variant: "ಇದು ಬೇರೆ ಅಕ್ಷರದ ಒಂದು ರೂಪ", standsFor: "ಮೂಲ ಅಕ್ಷರ",
    palette: "ಕನ್ನಡ ಅಕ್ಷರಗಳು", undo: "ಕೊನೆಯ ಬದಲಾವಣೆ ರದ್ದು", cancel: "ಬೇಡ", none: "ಬೇರೇನೂ ಇಲ್ಲ",
    gallery: "ಕಲಿಸಿದ್ದು", figures: "ಅಂಕಿಅಂಶ", keep: "ಉಳಿಸಿ",
    isRecognised: "ಇದು {label} ಎಂದು ತೋರುತ್ತದೆ", isUnsure: "ಖಚಿತವಿಲ್ಲ", isUnknown: "ಇದು ನನಗೆ ಗೊತ್ತಿಲ್ಲ", nothingTaught: "ಇನ್ನೂ ಏನೂ ಕಲಿಸಿಲ್ಲ: ಇದು ಏನೆಂದು ಹೇಳಿ",
    formOf: "{label} ಅಕ್ಷರದ ರೂಪ", choose: "ಇದೇ ಸರಿ: ಕಲಿಸಿ", taught: "{label} ಕಲಿತೆ. ಮತ್ತೆ ಬರೆದು ನೋಡಿ.", corrected: "ಕಲಿತೆ: ಇದು {label}.",
    undone: "ರದ್ದಾಯಿತು.", nothingDrawn: "ಮೊದಲು ಏನಾದರೂ ಬರೆಯಿರಿ.", failed: "ಆಗಲಿಲ್ಲ: {error}",
    galleryEmpty: "ನೀವು ಕಲಿಸಿದ್ದು ಇಲ್ಲಿ ಕಾಣಿಸುತ್ತದೆ.", figuresEmpty: "ಏನಾದರೂ ಕಲಿಸಿದ ಮೇಲೆ ಅಂಕಿಅಂಶ ಕಾಣಿಸುತ್ತದೆ.", more: "ಇನ್ನಷ್ಟು ತೋರಿಸಿ", samplesOf: "{count} ಕಲಿಸಲಾಗಿದೆ",
    sampleName: "ಮಾದರಿ {id}: {label}", link: "ಜೋಡಿಸಿ…", unlink: "ಬೇರ್ಪಡಿಸಿ", relabelQuestion: "ಇದು ಏನು? ಈ ಚಿತ್ರವನ್ನು ಮರೆಯಲು ಖಾಲಿ ಬಿಡಿ.",
    relabelled: "ಹೆಸರು ಬದಲಾಯಿತು.", forgotten: "ಮರೆತೆ.", linkQuestion: "{label} ಯಾವ ಅಕ್ಷರದ ರೂಪ?", linked: "ಜೋಡಿಸಲಾಯಿತು.", unlinked: "ಬೇರ್ಪಡಿಸಲಾಯಿತು.",
    labels: "ಅಕ್ಷರಗಳು", samples: "ಚಿತ್ರಗಳು", accuracy: "ಕಲಿಯುವ ಮೊದಲೇ ಗುರುತಿಸಿದ್ದು", meanLoss: "ಸರಾಸರಿ ಅಚ್ಚರಿ (loss)", corrections: "ತಿದ್ದುಪಡಿಗಳು", device: "ಲೆಕ್ಕ ಮಾಡುವ ಯಂತ್ರ",
    lossTitle: "ಅಚ್ಚರಿ (loss), ಕೊನೆಯ 20ರ ಸರಾಸರಿ", accuracyTitle: "ಕಲಿಯುವ ಮೊದಲೇ ಗುರುತಿಸಿದ್ದು, ಕೊನೆಯ 20ರಲ್ಲಿ %", samplesTitle: "ಪ್ರತಿ ಅಕ್ಷರದ ಚಿತ್ರಗಳು", tooFew: "ಇನ್ನೂ ಚಿತ್ರಗಳು ಸಾಲದು.",
    confusedTitle: "ಒಂದನ್ನು ಇನ್ನೊಂದೆಂದು ತಿಳಿದದ್ದು", takenFor: "{label} ಅನ್ನು {other} ಎಂದು ತಿಳಿದೆ ({count}×)", nextTitle: "ಮುಂದೆ ಇವನ್ನು ಕಲಿಸಿ",
    nextConfused: "{label}: {other} ಎಂದು ತಪ್ಪಾಗುತ್ತದೆ", nextFew: "{label}: ಚಿತ್ರಗಳು ಕಡಿಮೆ", suspectsTitle: "ಬಹುಶಃ ತಪ್ಪು ಹೆಸರಿನವು",
    findSuspects: "ಹುಡುಕಿ", suspect: "ಚಿತ್ರ {id}: ಹೆಸರು {label}, ಕಾಣುವುದು {other}", noSuspects: "ಯಾವುದೂ ಸಿಗಲಿಲ್ಲ.",
    snapshots: "ಉಳಿಸಿದ ಸ್ಥಿತಿಗಳು", save: "ಈ ಸ್ಥಿತಿಯನ್ನು ಉಳಿಸಿ…", saveQuestion: "ಒಂದು ಹೆಸರು (ಬೇಕಾದರೆ)", saved: "ಉಳಿಸಲಾಯಿತು.", noSnapshots: "ಇನ್ನೂ ಇಲ್ಲ. “ಕಲಿತೆ” ಎನ್ನುವ ಮೊದಲೇ ಪ್ರತಿ ಚಿತ್ರವೂ ಡಿಸ್ಕಿನಲ್ಲಿ ಸುರಕ್ಷಿತ.",
    restore: "ಇದಕ್ಕೆ ಹಿಂತಿರುಗಿ", restored: "ಹಿಂತಿರುಗಿದೆವು.", transfer: "ಜೊತೆಗೆ ಒಯ್ಯಿರಿ", export_archive: "ಆರ್ಕೈವ್", export_folder: "ಚಿತ್ರಗಳು", export_jsonl: "JSON ಸಾಲುಗಳು", export_seed: "ಕಲಿಕೆಯ ದಾಖಲೆ",
    importFile: "ತನ್ನಿ…", imported: "{count} ಕಲಿತೆ, {known} ಮೊದಲೇ ಗೊತ್ತಿತ್ತು, {refused} ನಿರಾಕರಿಸಿದೆ.", startOver: "ಹೊಸದಾಗಿ ಆರಂಭಿಸಿ", reset: "ಈ ಕಾರ್ಯಕ್ಷೇತ್ರ ಖಾಲಿ ಮಾಡಿ…",
    resetQuestion: "ಎಲ್ಲವೂ ಕಸದ ಬುಟ್ಟಿಗೆ ಹೋಗುತ್ತದೆ. ಮುಂದುವರಿಯಲು {name} ಎಂದು ಬರೆಯಿರಿ.", wasReset: "ಖಾಲಿಯಾಯಿತು. “before reset” ಎಂಬ ಸ್ಥಿತಿ ಎಲ್ಲವನ್ನೂ ಮರಳಿ ತರುತ್ತದೆ.",
  },
};

let language = localStorage.getItem("language") || (navigator.language.startsWith("kn") ? "kn" : "en");

export function say(word, values = {}) {
  const text = WORDS[language][word] ?? WORDS.en[word] ?? word;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export function switchLanguage() {
  language = language === "en" ? "kn" : "en";
  localStorage.setItem("language", language);
}

export function translatePage() {
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-i18n]")) node.textContent = say(node.dataset.i18n);
  for (const node of document.querySelectorAll("[data-i18n-label]")) node.setAttribute("aria-label", say(node.dataset.i18nLabel));
  const other = document.getElementById("language");
  other.textContent = language === "en" ? "ಕನ್ನಡ" : "English";
  other.lang = language === "en" ? "kn" : "en";
}

export const missingWords = () => Object.keys(WORDS.en).filter((word) => !(word in WORDS.kn));
