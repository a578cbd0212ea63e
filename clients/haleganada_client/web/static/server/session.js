// The reader's session: where it is missing or over, the login page asks for a token; the button in the header ends it.

const LOGIN = "/login";

/** Go to the login page, and come back from there to what is shown now. */
export function askToLogIn() {
  if (location.pathname === LOGIN) return;
  const here = location.pathname + location.search + location.hash;
  location.assign(`${LOGIN}?${new URLSearchParams({ next: here })}`);
}
