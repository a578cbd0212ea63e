// Kannada letters to click, for whoever has no Kannada keyboard. Signs are shown on a dotted circle, and typed without it.

import { makeButton, makeElement } from "../ui/dom.js";

const GROUPS = ["ಅಆಇಈಉಊಋಎಏಐಒಓಔ", "ಕಖಗಘಙಚಛಜಝಞಟಠಡಢಣತಥದಧನಪಫಬಭಮಯರಱಲವಶಷಸಹಳೞ", "ಾಿೀುೂೃೆೇೈೊೋೌಂಃ್", "೦೧೨೩೪೫೬೭೮೯"];
const SIGN = /\p{M}/u;

/** Build the groups of letters.
 * @param {(letter: string) => void} onLetter  called when one is clicked
 */
export function buildLetterGroups(onLetter) {
  const key = (/** @type {string} */ letter) =>
    makeButton(SIGN.test(letter) ? `◌${letter}` : letter, () => onLetter(letter), { class: "script" });
  return GROUPS.map((letters) => makeElement("div", {}, [...letters].map(key)));
}
