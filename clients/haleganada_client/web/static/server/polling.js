// Asking again and again, which survives reloads, sleeping laptops and restarts of the server.

const HIDDEN_PAUSE_MS = 10_000;
const BUSY_FACTOR = 4; // a slow answer is asked for less often

/** Wait, but no longer than `life`.
 * @param {number} ms
 * @param {AbortSignal} life
 * @returns {Promise<void>}
 */
const wait = (ms, life) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const stop = () => {
      clearTimeout(timer);
      resolve();
    };
    life.addEventListener("abort", stop, { once: true });
  });

/** Call look() again and again until it returns false or `life` is over. While the server is away, wait for it.
 * @param {() => Promise<boolean>} look
 * @param {number} pause  ms between two calls
 * @param {AbortSignal} life
 */
export async function poll(look, pause, life) {
  for (;;) {
    const begin = performance.now();
    const elapsed = () => performance.now() - begin;
    await wait(document.hidden ? HIDDEN_PAUSE_MS : pause, life);
    if (life.aborted) return;
    const waited = elapsed();
    try {
      if (!(await look())) return;
    } catch (error) {
      if (!error.isAbsence) throw error;
    }
    await wait(Math.max(0, BUSY_FACTOR * (elapsed() - waited) - pause), life);
    if (life.aborted) return;
  }
}
