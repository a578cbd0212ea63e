// Names of files and folders that look like a label: one letter, sign or digit, perhaps with a number behind it. A number
// alone is none: it may as well be a counter, a class or a code point.

const CODE_POINTS = /^U\+[0-9A-F]{4,6}(?:[_ ](?:U\+)?[0-9A-F]{4,6})*(?=$|[^0-9A-Z])/iu; // as exports name their folders
const SEPARATORS = /[\s_\-.()[\]]+/u;
const COUNTER = /^\d+$|^copy$/iu;
const VIRAMAS = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u1039\u17d2"; // what joins two letters to one
const ONE_LETTER = new RegExp(`^[^\\p{M}](?:[\\p{M}\\u200c\\u200d]|(?<=[${VIRAMAS}]\\u200d?)[^\\p{M}])*$`, "u");

/** Return the label that a picture's path names, "" if nothing in it looks like one. The innermost folder comes first.
 * @param {string} path
 * @param {boolean} areDigits  whether a folder that is named by one ASCII digit means that digit
 */
export function guessLabel(path, areDigits) {
  const parts = path.normalize("NFC").split("/");
  const stem = (parts.pop() ?? "").replace(/\.[^.]*$/, "");
  const folder = parts.pop() ?? "";
  return decodePoints(folder) || guessFromFolder(folder, areDigits) || decodePoints(stem) || guessFromStem(stem);
}

/** Return whether folders that are named by one digit mean it: not where others are numbered on, as classes are.
 * @param {string[]} paths
 */
export const areFoldersDigits = (paths) => !paths.some((path) => /(?:^|\/)\d{2,}\/[^/]*$/.test(path));

/** @param {string} name */
function decodePoints(name) {
  const found = CODE_POINTS.exec(name)?.[0] ?? "";
  const points = found.split(/[_ ]/).map((part) => parseInt(part.replace(/^U\+/i, ""), 16));
  const isText = points.every((point) => point > 0x1f && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff));
  return found && isText ? String.fromCodePoint(...points) : "";
}

/**
 * @param {string} name
 * @param {boolean} areDigits
 */
function guessFromFolder(name, areDigits) {
  if (/^\d$/.test(name)) return areDigits ? name : "";
  return isOneLetter(name) ? name : "";
}

/** @param {string} stem */
function guessFromStem(stem) {
  const words = stem.split(SEPARATORS).filter((word) => word && !COUNTER.test(word));
  const letters = words.filter(isOneLetter);
  if (letters.length !== 1) return "";
  return words.length === 1 || !hasCase(letters[0]) ? letters[0] : ""; // “I-love-you” is no label
}

/** @param {string} word */
const isOneLetter = (word) => ONE_LETTER.test(word) && /[\p{L}\p{N}\p{S}]/u.test(word) && !/^\d$/.test(word);

/** @param {string} letter */
const hasCase = (letter) => letter.toLowerCase() !== letter.toUpperCase();
