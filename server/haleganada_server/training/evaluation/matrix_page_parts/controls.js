// Zooming, panning, pointing, the list of pairs: with mouse, fingers and keys.

const [STEP, REVEALED, STILL, LISTED] = [1.5, 30, 4, 200]; // a button's zoom; px of a cell that is gone to; px of a click; pairs
const byId = (id) => document.getElementById(id);
const tip = byId("tip");
const pointers = new Map(); // id → [x, y] where it was last
let moved = 0;
let waiting = false;

function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); placeTip(); });
}

// The view

const smallest = () => Math.min(view.width, view.height) / labels.length;
const largest = () => Math.max(LARGEST, smallest());

function whole() {
  view.scale = Math.min(smallest(), LARGEST);
  [view.x, view.y] = [0, 0];
  redraw();
}

// By a factor, so that the point (x, y) of the plot stays where it is.
function zoom(factor, x = view.width / 2, y = view.height / 2) {
  const scale = bounded(view.scale * factor, Math.min(smallest(), LARGEST), largest());
  move((x - view.x) * (1 - scale / view.scale), (y - view.y) * (1 - scale / view.scale), scale);
}

// The matrix fills the plot, or all of it is in the plot.
function move(x, y, scale = view.scale) {
  const side = scale * labels.length;
  const within = (offset, size) => bounded(offset, Math.min(0, size - side), Math.max(0, size - side));
  Object.assign(view, { scale, x: within(view.x + x, view.width), y: within(view.y + y, view.height) });
  redraw();
}

function reveal(row, column) {
  const scale = bounded(view.scale, Math.min(REVEALED, largest()), largest());
  move(view.width / 2 - (column + 0.5) * scale - view.x, view.height / 2 - (row + 0.5) * scale - view.y, scale);
  select([row, column]);
}

function resize() {
  const { clientWidth, clientHeight } = canvas.parentElement;
  const first = !view.width;
  Object.assign(view, { width: Math.max(1, clientWidth - GUTTER), height: Math.max(1, clientHeight - GUTTER) });
  [canvas.width, canvas.height] = [clientWidth * devicePixelRatio, clientHeight * devicePixelRatio];
  if (first) whole();
  else move(0, 0, Math.max(view.scale, Math.min(smallest(), LARGEST)));
}

// What is selected, and told

function select(cell) {
  if (String(cell) === String(selected)) return;
  selected = cell;
  tip.hidden = !cell;
  if (cell) {
    byId("told").replaceChildren(...sentence(...cell));
    tip.replaceChildren(...sentence(...cell));
  }
  for (const button of byId("pairs").querySelectorAll("[aria-current]")) button.removeAttribute("aria-current");
  if (cell) byId("pairs").querySelector(`[data-cell="${cell}"]`)?.setAttribute("aria-current", "true");
  redraw();
}

function placeTip() {
  if (!selected) return;
  const [row, column] = selected;
  const [x, y] = [GUTTER + view.x + (column + 1) * view.scale, GUTTER + view.y + (row + 1) * view.scale];
  const inside = x > GUTTER && y > GUTTER && x - view.scale < view.width + GUTTER && y - view.scale < view.height + GUTTER;
  tip.style.visibility = inside ? "" : "hidden";
  const fits = y + 10 + tip.offsetHeight <= view.height + GUTTER;
  tip.style.left = `${bounded(x + 8, 0, Math.max(0, view.width + GUTTER - tip.offsetWidth))}px`;
  tip.style.top = `${Math.max(0, fits ? y + 8 : y - view.scale - tip.offsetHeight - 8)}px`;
}

// Pointers

function place({ clientX, clientY }) {
  const box = canvas.getBoundingClientRect();
  return [clientX - box.x - GUTTER, clientY - box.y - GUTTER];
}

// The cell at a place; a wrong answer near it where cells are too small to be met.
function cellAt([x, y]) {
  const [row, column] = [Math.floor((y - view.y) / view.scale), Math.floor((x - view.x) / view.scale)];
  if (x < 0 || y < 0 || Math.min(row, column) < 0 || Math.max(row, column) >= labels.length) return null;
  if (countAt(row, column) || view.scale >= LEAST_WRONG * 2) return [row, column];
  const reach = Math.ceil(LEAST_WRONG / view.scale);
  const far = (cell) => Math.max(Math.abs(cell[0] - row), Math.abs(cell[1] - column));
  const near = cells.filter((cell) => far(cell) <= reach).sort((a, b) => (a[0] === a[1]) - (b[0] === b[1]) || far(a) - far(b));
  return near.length ? near[0].slice(0, 2) : [row, column];
}

function pointerMoved(event) {
  const before = pointers.get(event.pointerId);
  if (!before) return select(cellAt(place(event)));
  const now = place(event);
  const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
  pointers.set(event.pointerId, now);
  moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
  if (!other) return moved > STILL && (canvas.classList.add("dragging"), move(now[0] - before[0], now[1] - before[1]));
  const apart = (point) => Math.max(1, Math.hypot(point[0] - other[0], point[1] - other[1]));
  move((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
  return zoom(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
}

function pointerEnded(event) {
  if (!pointers.delete(event.pointerId) || pointers.size) return;
  canvas.classList.remove("dragging");
  if (moved <= STILL) select(cellAt(place(event)));
}

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  if (!pointers.size) moved = 0;
  pointers.set(event.pointerId, place(event));
});
canvas.addEventListener("pointermove", pointerMoved);
canvas.addEventListener("pointerup", pointerEnded);
canvas.addEventListener("pointercancel", pointerEnded);
canvas.addEventListener("pointerleave", () => { if (!pointers.size && document.activeElement !== canvas) tip.hidden = true; });
canvas.addEventListener("pointerenter", () => { tip.hidden = !selected; });
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const lines = event.deltaMode ? 16 : 1;
  zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), ...place(event));
}, { passive: false });

// Keys

// The next cell with an answer in it, in a row or in a column, or else in the next one.
function step(down, by) {
  const key = ([row, column]) => (down ? column * labels.length + row : row * labels.length + column);
  const order = cells.map((cell) => cell.slice(0, 2)).sort((a, b) => key(a) - key(b));
  if (!selected) return order[0];
  const after = order.filter((cell) => (key(cell) - key(selected)) * by > 0);
  return (by > 0 ? after[0] : after.at(-1)) ?? selected;
}

const KEYS = {
  ArrowRight: () => reveal(...step(false, 1)), ArrowLeft: () => reveal(...step(false, -1)),
  ArrowDown: () => reveal(...step(true, 1)), ArrowUp: () => reveal(...step(true, -1)),
  "+": () => zoom(STEP), "=": () => zoom(STEP), "-": () => zoom(1 / STEP), 0: whole, Escape: () => select(null),
};
canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

// The list: one stop of the Tab key, arrows go through it

function entry([row, column]) {
  const [item, button, pair, figure] = ["li", "button", "span", "span"].map((tag) => document.createElement(tag));
  pair.append(bdi(labels[row]), " → ", bdi(labels[column]));
  figure.textContent = told(row, column);
  button.append(pair, figure);
  Object.assign(button, { type: "button", tabIndex: -1, onfocus: () => reveal(row, column), onclick: () => reveal(row, column) });
  button.dataset.cell = [row, column];
  item.append(button);
  return item;
}

byId("pairs").addEventListener("keydown", (event) => {
  const buttons = [...event.currentTarget.querySelectorAll("button")];
  const at = buttons.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = buttons[bounded(to, 0, buttons.length - 1)];
  for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
  next.focus();
});

function list() {
  const wrong = cells.filter(([row, column]) => row !== column).sort((a, b) => b[2] - a[2] || b[2] / totals[b[0]] - a[2] / totals[a[0]]);
  byId("pairs").append(...wrong.slice(0, LISTED).map(entry));
  byId("pairs").querySelector("button")?.setAttribute("tabindex", "0");
  byId("listed").textContent = wrong.length > LISTED ? `The ${LISTED} most frequent of ${wrong.length.toLocaleString("en")}, true → read as.`
    : wrong.length ? "True → read as."
      : leftOut ? "None is listed: mistakes are too many and too rare for that." : "No drawing was taken for another label.";
}

byId("title").textContent = title;
byId("about").textContent = leftOut ? `${about} Left out: ${leftOut.toLocaleString("en")} cells of ${rarest > 1 ? `${rarest} drawings or fewer` : "one drawing each"}.` : about;
byId("closer").addEventListener("click", () => zoom(STEP));
byId("farther").addEventListener("click", () => zoom(1 / STEP));
byId("whole").addEventListener("click", whole);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); redraw(); });
new ResizeObserver(resize).observe(canvas.parentElement);
readColours();
resize();
list();
