// Draws the matrix on its canvas. Labels only ever enter as text.

const { title, about, labels, totals, cells: flat, left_out: leftOut, rarest } = JSON.parse(document.getElementById("data").textContent);
const [GUTTER, GRID_FROM, NUMBERS_FROM, LABEL_STEP, LARGEST] = [92, 7, 26, 17, 96]; // px; those in between are sizes of a cell
const [LEAST_RIGHT, LEAST_WRONG] = [1.5, 3]; // px: least width of a cell, so that it can be seen

const canvas = document.getElementById("matrix");
const pen = canvas.getContext("2d");
const view = { scale: 1, x: 0, y: 0, width: 0, height: 0 }; // px: a cell; the matrix's corner in the plot; the plot's size
let selected = null; // [row, column]
let colors = {};

// [row, column, count], correct cells before wrong ones, which are drawn over them.
const cells = Array.from({ length: flat.length / 3 }, (_, i) => flat.slice(3 * i, 3 * i + 3)).sort((a, b) => (a[0] !== a[1]) - (b[0] !== b[1]));
const counts = new Map(cells.map(([row, column, count]) => [row * labels.length + column, count]));
const countAt = (row, column) => counts.get(row * labels.length + column) ?? 0;
const percent = (share) => `${Number((100 * share).toFixed(1))} %`;
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function bdi(text) {
  const node = document.createElement("bdi");
  node.textContent = text;
  return node;
}

const describeCell = (row, column) => ["true ", bdi(labels[row]), " → predicted ", bdi(labels[column]), `: ${formatCount(row, column)}`];

function formatCount(row, column) {
  const [total, count] = [totals[row], countAt(row, column)];
  if (!total) return "never drawn";
  return !count && leftOut ? `at most ${rarest} of ${total}` : `${count} of ${total} (${percent(count / total)})`;
}

// Colors

const mix = (from, to, share) => `rgb(${from.map((value, i) => Math.round(value + (to[i] - value) * share)).join(" ")})`;

function loadColors() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim().split(" ").map(Number);
  const [ground, ink, faint, line, right, wrong] = ["ground", "ink", "faint", "line", "right", "wrong"].map(read);
  const strength = (row, count) => Math.sqrt(count / Math.max(1, totals[row])); // the square root makes small shares visible
  colors = { ground: mix(ground, ground, 0), ink: mix(ink, ink, 0), faint: mix(faint, faint, 0), line: mix(line, line, 0) };
  colors.cells = cells.map(([row, column, count]) => mix(ground, row === column ? right : wrong, 0.15 + 0.85 * strength(row, count)));
}

// Drawing

function draw() {
  const ratio = canvas.width / (view.width + GUTTER);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = colors.ground;
  pen.fillRect(0, 0, view.width + GUTTER, view.height + GUTTER);
  pen.save();
  pen.beginPath();
  pen.rect(GUTTER, GUTTER, view.width, view.height);
  pen.clip();
  pen.translate(GUTTER + view.x, GUTTER + view.y);
  drawRules();
  drawCells();
  drawSelected();
  pen.restore();
  drawLabels();
}

function drawRules() {
  const { scale } = view;
  const side = labels.length * scale;
  pen.strokeStyle = colors.line;
  pen.lineWidth = 1;
  pen.strokeRect(0, 0, side, side);
  if (scale < GRID_FROM) return;
  const { rows, columns } = visibleRange();
  pen.beginPath();
  const line = (x, y, toX, toY) => {
    pen.moveTo(x, y);
    pen.lineTo(toX, toY);
  };
  for (let i = columns[0]; i <= columns[1]; i += 1) line(i * scale, 0, i * scale, side);
  for (let i = rows[0]; i <= rows[1]; i += 1) line(0, i * scale, side, i * scale);
  pen.stroke();
}

function drawCells() {
  const { scale } = view;
  const { rows, columns } = visibleRange();
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.font = `${Math.min(18, scale * 0.42)}px system-ui, sans-serif`;
  cells.forEach(([row, column, count], i) => {
    if (row < rows[0] || row > rows[1] || column < columns[0] || column > columns[1]) return;
    const side = Math.max(scale, row === column ? LEAST_RIGHT : LEAST_WRONG);
    const inset = (scale - side) / 2;
    pen.fillStyle = colors.cells[i];
    pen.fillRect(column * scale + inset, row * scale + inset, side, side);
    if (scale < NUMBERS_FROM) return;
    pen.fillStyle = count / totals[row] > 0.3 ? colors.ground : colors.ink;
    pen.fillText(String(count), (column + 0.5) * scale, (row + 0.5) * scale, scale - 2);
  });
}

function drawSelected() {
  if (!selected) return;
  const { scale } = view;
  const [row, column] = selected;
  pen.strokeStyle = colors.ink;
  pen.lineWidth = 2;
  pen.strokeRect(column * scale - 1, row * scale - 1, scale + 2, scale + 2);
  pen.globalAlpha = 0.08; // a band from its labels to the cell
  pen.fillStyle = colors.ink;
  pen.fillRect(-view.x, row * scale, column * scale + view.x, scale);
  pen.fillRect(column * scale, -view.y, scale, row * scale + view.y);
  pen.globalAlpha = 1;
}

function drawLabels() {
  const { rows, columns } = visibleRange();
  const step = Math.ceil(LABEL_STEP / view.scale);
  const [row, column] = selected ?? [-step, -step];
  const shown = ([first, last], own) => {
    const all = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    return all.filter((i) => i === own || (i % step === 0 && (own < 0 || Math.abs(i - own) * view.scale >= LABEL_STEP)));
  };
  pen.textBaseline = "middle";
  for (const i of shown(rows, row)) drawLabel(i, i === row, GUTTER - 8, GUTTER + view.y + (i + 0.5) * view.scale, false);
  for (const i of shown(columns, column)) drawLabel(i, i === column, GUTTER + view.x + (i + 0.5) * view.scale, GUTTER - 8, true);
}

// turned: over a column, running upwards where it is too wide.
function drawLabel(i, own, x, y, turned) {
  if ((turned ? x : y) < GUTTER) return;
  pen.font = `${own ? "bold " : ""}${clamp(view.scale * 0.6, 13, 20)}px system-ui, "Noto Sans", "Noto Sans Kannada", sans-serif`;
  pen.fillStyle = own ? colors.ink : colors.faint;
  const text = cutToWidth(labels[i], GUTTER - 12);
  const flat = turned && pen.measureText(text).width <= view.scale;
  pen.save();
  pen.translate(x, flat ? y - 8 : y);
  if (turned && !flat) pen.rotate(-Math.PI / 2);
  pen.textAlign = turned ? (flat ? "center" : "left") : "right";
  pen.fillText(text, 0, 0);
  pen.restore();
}

// Cut a text to what fits.
function cutToWidth(text, width) {
  if (pen.measureText(text).width <= width) return text;
  const characters = Array.from(text);
  while (characters.length > 1 && pen.measureText(`${characters.join("")}…`).width > width) characters.pop();
  return `${characters.join("")}…`;
}

// Return the first and last visible rows and columns.
function visibleRange() {
  const range = (offset, size) => [clamp(Math.floor(-offset / view.scale), 0, labels.length - 1), clamp(Math.floor((size - offset) / view.scale), 0, labels.length - 1)];
  return { rows: range(view.y, view.height), columns: range(view.x, view.width) };
}
