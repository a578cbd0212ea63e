// Zooming, panning, pointing and the list of pairs, by mouse, fingers and keys.

const [ZOOM_STEP, REVEALED, STILL, LISTED] = [1.5, 30, 4, 200]; // factor; px of a cell that is revealed; px within which a press is a click; pairs
const getById = (id) => document.getElementById(id);
const tip = getById("tip");
const pointers = new Map(); // id → last [x, y]
let moved = 0;
let redrawRequested = false;

function redraw() {
  if (redrawRequested) return;
  redrawRequested = true;
  requestAnimationFrame(() => { redrawRequested = false; draw(); placeTip(); });
}

// The view

const fittingScale = () => Math.min(view.width, view.height) / labels.length;
const largestScale = () => Math.max(LARGEST, fittingScale());

function showWhole() {
  view.scale = Math.min(fittingScale(), LARGEST);
  [view.x, view.y] = [0, 0];
  redraw();
}

// Zoom by a factor; the point (x, y) of the plot stays where it is.
function zoom(factor, x = view.width / 2, y = view.height / 2) {
  const scale = clamp(view.scale * factor, Math.min(fittingScale(), LARGEST), largestScale());
  move((x - view.x) * (1 - scale / view.scale), (y - view.y) * (1 - scale / view.scale), scale);
}

// Move the matrix, so that it either fills the plot or lies within it.
function move(x, y, scale = view.scale) {
  const side = scale * labels.length;
  const within = (offset, size) => clamp(offset, Math.min(0, size - side), Math.max(0, size - side));
  Object.assign(view, { scale, x: within(view.x + x, view.width), y: within(view.y + y, view.height) });
  redraw();
}

function reveal(row, column) {
  const scale = clamp(view.scale, Math.min(REVEALED, largestScale()), largestScale());
  move(view.width / 2 - (column + 0.5) * scale - view.x, view.height / 2 - (row + 0.5) * scale - view.y, scale);
  select([row, column]);
}

function resize() {
  const { clientWidth, clientHeight } = canvas.parentElement;
  const first = !view.width;
  Object.assign(view, { width: Math.max(1, clientWidth - GUTTER), height: Math.max(1, clientHeight - GUTTER) });
  [canvas.width, canvas.height] = [clientWidth * devicePixelRatio, clientHeight * devicePixelRatio];
  if (first) showWhole();
  else move(0, 0, Math.max(view.scale, Math.min(fittingScale(), LARGEST)));
}

// The selection

function select(cell) {
  if (String(cell) === String(selected)) return;
  selected = cell;
  tip.hidden = !cell;
  if (cell) {
    getById("selection").replaceChildren(...describeCell(...cell));
    tip.replaceChildren(...describeCell(...cell));
  }
  for (const button of getById("pairs").querySelectorAll("[aria-current]")) button.removeAttribute("aria-current");
  if (cell) getById("pairs").querySelector(`[data-cell="${cell}"]`)?.setAttribute("aria-current", "true");
  redraw();
}

function placeTip() {
  if (!selected) return;
  const [row, column] = selected;
  const [x, y] = [GUTTER + view.x + (column + 1) * view.scale, GUTTER + view.y + (row + 1) * view.scale];
  const inside = x > GUTTER && y > GUTTER && x - view.scale < view.width + GUTTER && y - view.scale < view.height + GUTTER;
  tip.style.visibility = inside ? "" : "hidden";
  const fits = y + 10 + tip.offsetHeight <= view.height + GUTTER;
  tip.style.left = `${clamp(x + 8, 0, Math.max(0, view.width + GUTTER - tip.offsetWidth))}px`;
  tip.style.top = `${Math.max(0, fits ? y + 8 : y - view.scale - tip.offsetHeight - 8)}px`;
}

// Pointers

function toPlot({ clientX, clientY }) {
  const box = canvas.getBoundingClientRect();
  return [clientX - box.x - GUTTER, clientY - box.y - GUTTER];
}

// Return the cell at a point, or a mistake near it where cells are too small to point at.
function cellAt([x, y]) {
  const [row, column] = [Math.floor((y - view.y) / view.scale), Math.floor((x - view.x) / view.scale)];
  if (x < 0 || y < 0 || Math.min(row, column) < 0 || Math.max(row, column) >= labels.length) return null;
  if (countAt(row, column) || view.scale >= LEAST_WRONG * 2) return [row, column];
  const reach = Math.ceil(LEAST_WRONG / view.scale);
  const far = (cell) => Math.max(Math.abs(cell[0] - row), Math.abs(cell[1] - column));
  const near = cells.filter((cell) => far(cell) <= reach).sort((a, b) => (a[0] === a[1]) - (b[0] === b[1]) || far(a) - far(b));
  return near.length ? near[0].slice(0, 2) : [row, column];
}

function onPointerMove(event) {
  const before = pointers.get(event.pointerId);
  if (!before) return select(cellAt(toPlot(event)));
  const now = toPlot(event);
  const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
  pointers.set(event.pointerId, now);
  moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
  if (!other) return moved > STILL && (canvas.classList.add("dragging"), move(now[0] - before[0], now[1] - before[1]));
  const apart = (point) => Math.max(1, Math.hypot(point[0] - other[0], point[1] - other[1]));
  move((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
  return zoom(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
}

function onPointerUp(event) {
  if (!pointers.delete(event.pointerId) || pointers.size) return;
  canvas.classList.remove("dragging");
  if (moved <= STILL) select(cellAt(toPlot(event)));
}

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  if (!pointers.size) moved = 0;
  pointers.set(event.pointerId, toPlot(event));
});
canvas.addEventListener("pointermove", onPointerMove);
canvas.addEventListener("pointerup", onPointerUp);
canvas.addEventListener("pointercancel", onPointerUp);
canvas.addEventListener("pointerleave", () => { if (!pointers.size && document.activeElement !== canvas) tip.hidden = true; });
canvas.addEventListener("pointerenter", () => { tip.hidden = !selected; });
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const lines = event.deltaMode ? 16 : 1;
  zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), ...toPlot(event));
}, { passive: false });

// Keys

// Return the next cell that is not empty, in the same row or column, or else in the next one.
function nextCell(down, by) {
  const key = ([row, column]) => (down ? column * labels.length + row : row * labels.length + column);
  const order = cells.map((cell) => cell.slice(0, 2)).sort((a, b) => key(a) - key(b));
  if (!selected) return order[0];
  const after = order.filter((cell) => (key(cell) - key(selected)) * by > 0);
  return (by > 0 ? after[0] : after.at(-1)) ?? selected;
}

const KEYS = {
  ArrowRight: () => reveal(...nextCell(false, 1)), ArrowLeft: () => reveal(...nextCell(false, -1)),
  ArrowDown: () => reveal(...nextCell(true, 1)), ArrowUp: () => reveal(...nextCell(true, -1)),
  "+": () => zoom(ZOOM_STEP), "=": () => zoom(ZOOM_STEP), "-": () => zoom(1 / ZOOM_STEP), 0: showWhole, Escape: () => select(null),
};
canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

// The list: one tab stop; arrow keys move within it

function createEntry([row, column]) {
  const [item, button, pair, count] = ["li", "button", "span", "span"].map((tag) => document.createElement(tag));
  pair.append(bdi(labels[row]), " → ", bdi(labels[column]));
  count.textContent = formatCount(row, column);
  button.append(pair, count);
  Object.assign(button, { type: "button", tabIndex: -1, onfocus: () => reveal(row, column), onclick: () => reveal(row, column) });
  button.dataset.cell = [row, column];
  item.append(button);
  return item;
}

getById("pairs").addEventListener("keydown", (event) => {
  const buttons = [...event.currentTarget.querySelectorAll("button")];
  const at = buttons.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = buttons[clamp(to, 0, buttons.length - 1)];
  for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
  next.focus();
});

function listPairs() {
  const wrong = cells.filter(([row, column]) => row !== column).sort((a, b) => b[2] - a[2] || b[2] / totals[b[0]] - a[2] / totals[a[0]]);
  getById("pairs").append(...wrong.slice(0, LISTED).map(createEntry));
  getById("pairs").querySelector("button")?.setAttribute("tabindex", "0");
  getById("listed").textContent = wrong.length > LISTED ? `The ${LISTED} most frequent of ${wrong.length.toLocaleString("en")}, true → predicted.`
    : wrong.length ? "True → predicted."
      : leftOut ? "None is listed: there are too many mistakes, each too rare." : "No drawing was taken for another label.";
}

getById("title").textContent = title;
getById("about").textContent = leftOut ? `${about} Left out: ${leftOut.toLocaleString("en")} cells of ${rarest > 1 ? `${rarest} drawings or fewer` : "one drawing each"}.` : about;
getById("closer").addEventListener("click", () => zoom(ZOOM_STEP));
getById("farther").addEventListener("click", () => zoom(1 / ZOOM_STEP));
getById("whole").addEventListener("click", showWhole);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { loadColors(); redraw(); });
new ResizeObserver(resize).observe(canvas.parentElement);
loadColors();
resize();
listPairs();
