// Pictures instead of strokes: chosen, pasted or dropped.

import { say } from "../i18n/words.js";
import { byId } from "../ui/dom.js";
import { showError } from "../ui/status.js";

const TYPES = ["image/png", "image/jpeg", "image/webp"];
const MOST_BYTES = 4 * 2 ** 20; // larger files are made smaller before they are sent
const SIDE_PX = 1600; // of a picture that was made smaller

/** Show pictures on the slate.
 * @param {import("./board.js").Board} board
 */
export function acceptPictures(board) {
  const slate = byId("slate");
  byId("file").addEventListener("change", () => {
    showPicture(board, byId("file").files?.[0]);
    byId("file").value = "";
  });
  document.addEventListener("paste", (event) => showPicture(board, event.clipboardData?.files[0]));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    slate.classList.add("over");
  });
  document.addEventListener("dragleave", () => slate.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    slate.classList.remove("over");
    showPicture(board, event.dataTransfer?.files[0]);
  });
}

/** Show a picture, or say that a file is none. Each browser has words of its own for a file that only claims to be one.
 * @param {import("./board.js").Board} board
 * @param {File} [file]
 */
async function showPicture(board, file) {
  if (!file) return;
  try {
    if (!TYPES.includes(file.type)) throw new TypeError(file.type);
    await board.show(file);
  } catch {
    showError(new Error(say("noPicture", { name: file.name })));
  }
}

/** Return a picture as a data URL. Rejects if a large file is none.
 * @param {File} file
 * @returns {Promise<string>}
 */
export async function pictureSource(file) {
  if (file.size <= MOST_BYTES) return readAsDataUrl(file);
  const bitmap = await createImageBitmap(file); // turned upright as its EXIF says
  const ratio = Math.min(1, SIDE_PX / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width * ratio;
  canvas.height = bitmap.height * ratio;
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.92);
}

/**
 * @param {File} file
 * @returns {Promise<string>}
 */
function readAsDataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
