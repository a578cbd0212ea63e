// The menu of languages.

import { getById, makeElement } from "../ui/dom.js";
import { showError, showStatus } from "../ui/status.js";
import { LANGUAGES } from "./languages.js";
import { chooseLanguage, getLanguage } from "./words.js";

/** Offer all languages.
 * @param {() => void} onChange  called when another language is to be shown
 */
export function listenToLanguage(onChange) {
  const menu = getById("language");
  menu.replaceChildren(
    ...Object.entries(LANGUAGES).map(([code, name]) =>
      makeElement("option", { value: code, lang: code, selected: code === getLanguage() }, name),
    ),
  );
  menu.addEventListener("change", async () => {
    try {
      await chooseLanguage(menu.value);
      showStatus(""); // what it said was in the other language
      onChange();
    } catch (error) {
      menu.value = getLanguage();
      showError(error);
    }
  });
}
