// The menu of languages.

import { byId, element } from "../ui/dom.js";
import { showError, showStatus } from "../ui/status.js";
import { LANGUAGES } from "./languages.js";
import { chooseLanguage, currentLanguage } from "./words.js";

/** Offer all languages.
 * @param {() => void} onChange  called when another language is to be shown
 */
export function listenToLanguage(onChange) {
  const menu = byId("language");
  menu.replaceChildren(
    ...Object.entries(LANGUAGES).map(([code, name]) =>
      element("option", { value: code, lang: code, selected: code === currentLanguage() }, name),
    ),
  );
  menu.addEventListener("change", async () => {
    try {
      await chooseLanguage(menu.value);
      showStatus(""); // what it said was in the other language
      onChange();
    } catch (error) {
      menu.value = currentLanguage();
      showError(error);
    }
  });
}
