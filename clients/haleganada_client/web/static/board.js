// The slate: pointer events to strokes, strokes to pixels. It keeps strokes, never pixels, so that any screen will do,
// and every state it had, so that nothing drawn is lost by Clear or by teaching. A pen that is no pointer (key_pen.js)
// draws the same strokes with penDown, penMove and penUp.

const MOST_STATES = 200;
const LARGEST_PICTURE = 4 * 2 ** 20; // bytes; larger ones are made smaller before they are sent
const PICTURE_SIDE = 1600; // px, then

const EMPTY = { strokes: [], picture: null };
const NO_POINTER = null; // the id of the pen that penDown puts down

export class Board extends EventTarget {
  #canvas; #context; #state = EMPTY; #past = []; #open = null; #began = 0; #side = 0; #penShare;

  // Grows with every change.
  version = 0;

  // penShare: thickness of the pen as a share of the slate's side. Says "stroke" at pen up, "change" at any change.
  constructor(canvas, penShare) {
    super();
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.#penShare = penShare;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) canvas.addEventListener(end, (event) => this.#up(event));
    canvas.addEventListener("contextmenu", (event) => { if (event.pointerType !== "mouse") event.preventDefault(); });
    new ResizeObserver(() => this.#fit()).observe(canvas);
    this.#fit();
  }

  get isEmpty() { return this.#state.strokes.length === 0 && !this.#state.picture; }
  get canUndo() { return this.#past.length > 0; }

  // What is sent: strokes in CSS pixels of the canvas, or a chosen picture as a data URL.
  drawing() {
    const { picture, strokes } = this.#state;
    if (picture) return { image: picture.source };
    return { ink: { width: this.#side, height: this.#side, pen_width: this.#penShare * this.#side, strokes } };
  }

  clear() {
    if (!this.isEmpty) this.#become(EMPTY);
  }

  // What is on the slate now, for takeAway.
  get content() { return this.#state; }

  // Clear what was there then; a stroke that was begun since stays.
  takeAway({ strokes, picture }) {
    const now = this.#state;
    if (this.isEmpty) return;
    this.#become({ strokes: now.strokes.filter((stroke) => !strokes.includes(stroke)), picture: now.picture === picture ? null : now.picture });
  }

  // The state before the last stroke, picture or clearing.
  undo() {
    if (!this.canUndo) return;
    this.#state = this.#past.pop();
    this.#changed();
    this.dispatchEvent(new Event("stroke"));
  }

  setPen(share) {
    this.#penShare = share;
    this.#changed();
  }

  async show(file) {
    const source = await asDataUrl(file);
    const image = new Image();
    image.src = source;
    await image.decode();
    this.#become({ strokes: [], picture: { source, image } });
    this.dispatchEvent(new Event("stroke"));
  }

  // Where a pen that is no pointer goes down, shares of the slate's side, 0 to 1; time: ms, as of events.
  penDown(x, y, time) {
    if (!this.#open) this.#begin({ id: NO_POINTER, isPen: false }, this.#place(x, y, time));
  }

  penMove(x, y, time) {
    if (this.#open?.id === NO_POINTER) this.#extend([this.#place(x, y, time)]);
  }

  penUp() {
    if (this.#open?.id === NO_POINTER) this.#end();
  }

  redraw() {
    this.#context.clearRect(0, 0, this.#side, this.#side);
    if (this.#state.picture) this.#drawPicture(this.#state.picture.image);
    for (const stroke of this.#state.strokes) this.#draw(stroke, 0);
  }

  #become(state) {
    this.#past.push(this.#state);
    if (this.#past.length > MOST_STATES) this.#past.shift();
    this.#state = state;
    this.#changed();
  }

  #changed() {
    this.version++;
    this.redraw();
    this.dispatchEvent(new Event("change"));
  }

  // The slate is square; what is on it grows and shrinks with it.
  #fit() {
    const side = this.#canvas.clientWidth;
    const ratio = window.devicePixelRatio || 1;
    if (!side) return;
    if (this.#side && side !== this.#side) scale([...this.#past, this.#state], side / this.#side);
    this.#side = side;
    this.#canvas.width = this.#canvas.height = Math.round(side * ratio);
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.redraw();
  }

  #down(event) {
    if (this.#open || (event.pointerType === "mouse" && event.button !== 0)) return;
    event.preventDefault();
    this.#canvas.focus({ preventScroll: true });
    this.#canvas.setPointerCapture(event.pointerId);
    this.#begin({ id: event.pointerId, isPen: event.pointerType === "pen" }, this.#point(event));
  }

  #move(event) {
    if (event.pointerId !== this.#open?.id) return;
    const between = event.getCoalescedEvents?.() ?? [];
    this.#extend((between.length ? between : [event]).map((one) => this.#point(one)));
  }

  #up(event) {
    if (event.pointerId === this.#open?.id) this.#end();
  }

  // pen: { id, isPen }, which the stroke belongs to until #end.
  #begin(pen, point) {
    const strokes = this.#state.picture ? [] : this.#state.strokes;
    if (strokes.length === 0) this.#began = point.time;
    this.#open = { ...pen, stroke: { x: [], y: [], time_ms: [], pressure: [] } };
    this.#add(point);
    this.#become({ strokes: [...strokes, this.#open.stroke], picture: null });
  }

  #extend(points) {
    const from = this.#open.stroke.x.length - 1;
    for (const point of points) this.#add(point);
    this.#draw(this.#open.stroke, from);
  }

  #end() {
    if (!this.#open.isPen) delete this.#open.stroke.pressure; // a mouse has none to tell
    this.#open = null;
    this.version++;
    this.dispatchEvent(new Event("stroke"));
  }

  #point(event) {
    const box = this.#canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top, time: event.timeStamp, pressure: event.pressure };
  }

  #place(x, y, time) {
    return { x: x * this.#side, y: y * this.#side, time, pressure: 0 };
  }

  #add({ x, y, time, pressure }) {
    const { stroke } = this.#open;
    stroke.x.push(tenth(x));
    stroke.y.push(tenth(y));
    stroke.time_ms.push(Math.max(0, tenth(time - this.#began)));
    stroke.pressure.push(Math.min(1, Math.max(0, pressure)));
  }

  // Pressure does not show, because it does not count: the same letter from a mouse and from a pen looks the same.
  #draw({ x, y }, from) {
    const pen = this.#context;
    pen.strokeStyle = getComputedStyle(this.#canvas).color;
    pen.lineWidth = this.#penShare * this.#side;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo(x[from], y[from]);
    for (let i = from + 1; i < x.length; i++) pen.lineTo(x[i], y[i]);
    if (from === x.length - 1) pen.lineTo(x[from] + 0.01, y[from]);
    pen.stroke();
  }

  #drawPicture(image) {
    const ratio = this.#side / Math.max(image.width, image.height);
    const [width, height] = [image.width * ratio, image.height * ratio];
    this.#context.drawImage(image, (this.#side - width) / 2, (this.#side - height) / 2, width, height);
  }
}

const tenth = (value) => Math.round(value * 10) / 10;

// States share strokes; each stroke is scaled once.
function scale(states, ratio) {
  for (const stroke of new Set(states.flatMap((state) => state.strokes))) {
    stroke.x = stroke.x.map((value) => value * ratio);
    stroke.y = stroke.y.map((value) => value * ratio);
  }
}

async function asDataUrl(file) {
  if (file.size <= LARGEST_PICTURE) return readAsDataUrl(file);
  const bitmap = await createImageBitmap(file); // turned upright as its EXIF says
  const ratio = Math.min(1, PICTURE_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = Object.assign(document.createElement("canvas"), { width: bitmap.width * ratio, height: bitmap.height * ratio });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.92);
}

function readAsDataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
