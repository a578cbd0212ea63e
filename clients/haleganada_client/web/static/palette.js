// Kannada letters to click, for whoever has no Kannada keyboard. Signs are shown on a dotted circle, and added without it.

import { button, element } from "./dom.js";

const GROUPS = [
  "ಅಆಇಈಉಊಋಎಏಐಒಓಔ",
  "ಕಖಗಘಙಚಛಜಝಞಟಠಡಢಣತಥದಧನಪಫಬಭಮಯರಱಲವಶಷಸಹಳೞ",
  "ಾಿೀುೂೃೆೇೈೊೋೌಂಃ್",
  "೦೧೨೩೪೫೬೭೮೯",
];
const SIGN = /\p{M}/u;

export const palette = (onLetter) => GROUPS.map((letters) => element("div", {}, [...letters].map((letter) =>
  button(SIGN.test(letter) ? `◌${letter}` : letter, () => onLetter(letter), { class: "script" }))));
