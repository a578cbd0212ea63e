// A warning before drawings of a form count as other text, as ಆ for ಅ.

import { say } from "../i18n/words.js";
import { get } from "../server/api.js";

/** Show the warning if there is something to warn of, and nothing otherwise. Without an answer there is no warning.
 * @param {HTMLElement} warning
 * @param {() => { form: string, canonical: string }} read  returns what is chosen now; no form: nothing
 */
export async function warnOfOtherText(warning, read) {
  const { form, canonical } = read();
  warning.textContent = "";
  if (!form || !canonical) return;
  const { other_text: isOther } = await get("/page/link", { form, canonical }).catch(() => ({}));
  const now = read();
  if (!isOther || now.form !== form || now.canonical !== canonical) return;
  warning.textContent = say("otherText", { label: form, canonical, unlink: say("unlink") });
}
