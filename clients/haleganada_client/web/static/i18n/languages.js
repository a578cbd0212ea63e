// The languages of the pages. Another one is a file beside this one, named by its code, and one line here.

/** Codes of languages (BCP 47) and what each language calls itself. The first one is the default. */
export const LANGUAGES = {
  en: "English",
  kn: "ಕನ್ನಡ",
};
