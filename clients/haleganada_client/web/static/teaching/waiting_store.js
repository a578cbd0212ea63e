// What was taught and waits for the server, in the browser's database (IndexedDB), which outlives reloads and is shared by all
// tabs. Where the browser keeps nothing, it is in memory until the page is left.

const NAME = "haleganada";
const STORE = "waiting";

/**
 * @typedef {object} WaitingLesson  A drawing and what the reader says it is.
 * @property {string} workspace
 * @property {{ label: string, variant_of: string, request_id: string }} body
 * @property {Drawing} drawing
 * @property {string} prediction  id of the prediction that it corrects, or ""
 * @property {string} problem  why the server refused it, or ""
 * @property {number} [key]  its place in the order of teaching
 */

/** @type {Promise<IDBDatabase | null> | undefined} */
let opened;
/** @type {WaitingLesson[]} */
let unkept = [];
let lastKey = 0;

/** Keep a lesson behind those that wait. Resolves to its key when it is on the disk.
 * @param {WaitingLesson} lesson
 * @returns {Promise<number>}
 */
export async function addWaiting(lesson) {
  const key = await work("readwrite", (store) => store.add(lesson)).catch(() => null); // no room: it may be a picture
  if (typeof key === "number") return key;
  unkept.push({ ...lesson, key: --lastKey });
  return lastKey;
}

/** Return all lessons that wait, in their order.
 * @returns {Promise<(WaitingLesson & { key: number })[]>}
 */
export async function listWaiting() {
  const kept = /** @type {WaitingLesson[]} */ ((await work("readonly", (store) => store.getAll())) ?? []);
  return /** @type {(WaitingLesson & { key: number })[]} */ ([...kept, ...unkept]);
}

/** Put a lesson in place of the one with its key.
 * @param {WaitingLesson} lesson
 */
export async function replaceWaiting(lesson) {
  if ((lesson.key ?? 0) > 0) await work("readwrite", (store) => store.put(lesson));
  else unkept = unkept.map((one) => (one.key === lesson.key ? lesson : one));
}

/** Let a lesson go. Resolves to whether it was still there.
 * @param {number} key
 */
export async function removeWaiting(key) {
  const before = unkept.length;
  unkept = unkept.filter((one) => one.key !== key);
  if (key < 0) return unkept.length < before;
  const there = await work("readwrite", (store) => {
    const found = store.count(key);
    store.delete(key);
    return found;
  });
  return there === 1;
}

/** Do something with the store in one transaction; null where there is none.
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest} run
 */
async function work(mode, run) {
  opened ??= open().catch(() => null);
  const database = await opened;
  if (!database) return null;
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, mode, { durability: "strict" });
    const request = run(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error ?? new Error("the browser keeps nothing"));
  });
}

/** @returns {Promise<IDBDatabase>} */
const open = () =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key", autoIncrement: true });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
