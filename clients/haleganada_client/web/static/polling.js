// Asking again and again, which survives reloads, sleeping laptops and servers that are started anew.

const HIDDEN_PAUSE_MS = 10_000;
const BUSY_FACTOR = 4; // a slow answer is asked for less often

const wait = (ms, life) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  life.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
});

// Call look() every pause ms until it returns false or `life` is over. Absence of the server is waited out.
export async function poll(look, pause, life) {
  for (;;) {
    const begun = performance.now();
    const took = () => performance.now() - begun;
    await wait(document.hidden ? HIDDEN_PAUSE_MS : pause, life);
    if (life.aborted) return;
    const asked = took();
    try {
      if ((await look()) === false) return;
    } catch (error) {
      if (!error.isAbsence) throw error;
    }
    await wait(Math.max(0, BUSY_FACTOR * (took() - asked) - pause), life);
    if (life.aborted) return;
  }
}
