// Alphabets to walk through, and what a reader types as one.

export const ALPHABETS = {
  kannadaVowels: "ಅ ಆ ಇ ಈ ಉ ಊ ಋ ಎ ಏ ಐ ಒ ಓ ಔ",
  kannadaConsonants: "ಕ ಖ ಗ ಘ ಙ ಚ ಛ ಜ ಝ ಞ ಟ ಠ ಡ ಢ ಣ ತ ಥ ದ ಧ ನ ಪ ಫ ಬ ಭ ಮ ಯ ರ ಲ ವ ಶ ಷ ಸ ಹ ಳ",
  kannadaDigits: "೦ ೧ ೨ ೩ ೪ ೫ ೬ ೭ ೮ ೯",
  latinSmall: "a b c d e f g h i j k l m n o p q r s t u v w x y z",
  latinCapital: "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z",
  digits: "0 1 2 3 4 5 6 7 8 9",
};

/** Return the letters of a text, each once: what spaces or commas part, or else each letter with its signs.
 * @param {string} text
 */
export function splitLetters(text) {
  const words = text
    .normalize("NFC")
    .split(/[\s,]+/u)
    .filter(Boolean);
  const letters =
    words.length === 1 ? [...new Intl.Segmenter().segment(words[0])].map(({ segment }) => segment) : words;
  return [...new Set(letters)];
}
