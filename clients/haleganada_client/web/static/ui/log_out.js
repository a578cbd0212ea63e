// The button that logs out, which is there for those who have logged in.

import { post } from "../server/api.js";
import { showError } from "./status.js";

/** Let the button of the header end the session. */
export function listenToLogOut() {
  document.getElementById("log-out")?.addEventListener("click", async () => {
    try {
      await post("/page/logout", {});
      location.assign("/login");
    } catch (error) {
      showError(error);
    }
  });
}
