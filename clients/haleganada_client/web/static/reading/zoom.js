// Zooming and panning inside a frame that scrolls: wheel with Ctrl, two fingers, + − 0 keys, dragging with the mouse.

const MOST = 12; // times the width of the frame
const DRAG_PX = 4; // less than that is a click

/** Let a sheet be zoomed in its frame.
 * @param {HTMLElement} frame
 * @param {HTMLElement} sheet
 * @param {number} aspect  width / height of the sheet
 */
export function makeZoomable(frame, sheet, aspect) {
  let scale = 1; // width of the sheet / width of the frame
  let isDragging = false;

  const set = (/** @type {number} */ wanted, /** @type {number} */ x, /** @type {number} */ y) => {
    const least = Math.min(1, (frame.clientHeight * aspect) / frame.clientWidth);
    const next = Math.min(MOST, Math.max(least, wanted));
    const left = ((frame.scrollLeft + x) * next) / scale - x;
    const top = ((frame.scrollTop + y) * next) / scale - y;
    scale = next;
    sheet.style.width = `${scale * 100}%`;
    frame.scrollTo({ left, top });
  };
  const by = (/** @type {number} */ factor) => set(scale * factor, frame.clientWidth / 2, frame.clientHeight / 2);
  const fit = () => set(0, 0, 0);

  frame.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const { left, top } = frame.getBoundingClientRect();
      set(scale * Math.exp(-event.deltaY / 300), event.clientX - left, event.clientY - top);
    },
    { passive: false },
  );
  frame.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") by(1.4);
    else if (event.key === "-") by(1 / 1.4);
    else if (event.key === "0") fit();
    else return;
    event.preventDefault();
  });
  pinch(frame, (factor, x, y) => set(scale * factor, x, y));
  drag(frame, (dragging) => {
    isDragging = dragging;
  });
  return { by, fit, isDragging: () => isDragging };
}

/** Zoom by two fingers.
 * @param {HTMLElement} frame
 * @param {(factor: number, x: number, y: number) => void} onZoom
 */
function pinch(frame, onZoom) {
  let before = 0;
  frame.addEventListener(
    "touchmove",
    ({ touches: [first, second] }) => {
      if (!second) return;
      const distance = Math.hypot(first.clientX - second.clientX, first.clientY - second.clientY);
      const { left, top } = frame.getBoundingClientRect();
      if (before) {
        onZoom(
          distance / before,
          (first.clientX + second.clientX) / 2 - left,
          (first.clientY + second.clientY) / 2 - top,
        );
      }
      before = distance;
    },
    { passive: true },
  );
  frame.addEventListener("touchend", () => {
    before = 0;
  });
}

/** Pan by dragging with the mouse; fingers scroll by themselves.
 * @param {HTMLElement} frame
 * @param {(isDragging: boolean) => void} onDrag
 */
function drag(frame, onDrag) {
  frame.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    const start = { x: event.clientX + frame.scrollLeft, y: event.clientY + frame.scrollTop };
    const from = { x: event.clientX, y: event.clientY };
    onDrag(false);
    const move = (/** @type {PointerEvent} */ now) => {
      if (Math.hypot(now.clientX - from.x, now.clientY - from.y) > DRAG_PX) onDrag(true);
      frame.scrollTo({ left: start.x - now.clientX, top: start.y - now.clientY });
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", () => document.removeEventListener("pointermove", move), { once: true });
  });
}
