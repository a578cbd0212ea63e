// The drawing board: pointer events to strokes, strokes to pixels. It keeps strokes, never pixels, so that any screen will do.

export class Board {
  #canvas; #context; #strokes = []; #open = null; #picture = null; #began = 0; #onStroke;

  constructor(canvas, onStroke) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.#onStroke = onStroke;
    this.penWidth = 14;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.#up(event));
    new ResizeObserver(() => this.#fit()).observe(canvas);
    this.#fit();
  }

  get isEmpty() { return this.#strokes.length === 0 && !this.#picture; }

  // What is sent: strokes in CSS pixels of the canvas, or an uploaded picture as a data URL.
  drawing() {
    if (this.#picture) return { image: this.#picture.source };
    const { width, height } = this.#size();
    return { ink: { width, height, pen_width: this.penWidth, strokes: this.#strokes } };
  }

  clear() {
    const before = { strokes: this.#strokes, picture: this.#picture };
    this.#strokes = [];
    this.#picture = null;
    this.redraw();
    return before;
  }

  bringBack(before) {
    this.#strokes = before.strokes;
    this.#picture = before.picture;
    this.redraw();
  }

  undoStroke() {
    if (this.#picture) this.#picture = null;
    else this.#strokes.pop();
    this.redraw();
  }

  async show(file) {
    const source = await new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.onerror = reject;
      reader.readAsDataURL(file);
    });
    const image = new Image();
    image.src = source;
    await image.decode();
    this.#strokes = [];
    this.#picture = { source, image };
    this.redraw();
  }

  redraw() {
    const { width, height } = this.#size();
    this.#context.clearRect(0, 0, width, height);
    if (this.#picture) {
      const { image } = this.#picture;
      const scale = Math.min(width / image.width, height / image.height);
      const [w, h] = [image.width * scale, image.height * scale];
      this.#context.drawImage(image, (width - w) / 2, (height - h) / 2, w, h);
    }
    for (const stroke of this.#strokes) this.#draw(stroke);
  }

  #size() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    return { width, height };
  }

  #fit() {
    const { width, height } = this.#size();
    const ratio = window.devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.redraw();
  }

  #down(event) {
    if (this.#open || (event.pointerType === "mouse" && event.button !== 0)) return;
    event.preventDefault();
    this.#canvas.setPointerCapture(event.pointerId);
    if (this.#picture) this.clear();
    if (this.#strokes.length === 0) this.#began = event.timeStamp;
    this.#open = { id: event.pointerId, pen: event.pointerType === "pen", stroke: { x: [], y: [], t: [], pressure: [] } };
    this.#strokes.push(this.#open.stroke);
    this.#add(event);
    this.redraw();
  }

  #move(event) {
    if (event.pointerId !== this.#open?.id) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) this.#add(one);
    this.redraw();
  }

  #up(event) {
    if (event.pointerId !== this.#open?.id) return;
    if (!this.#open.pen) delete this.#open.stroke.pressure;
    this.#open = null;
    this.#onStroke();
  }

  #add(event) {
    const box = this.#canvas.getBoundingClientRect();
    const { stroke } = this.#open;
    stroke.x.push(event.clientX - box.left - this.#canvas.clientLeft);
    stroke.y.push(event.clientY - box.top - this.#canvas.clientTop);
    stroke.t.push(Math.max(0, event.timeStamp - this.#began));
    stroke.pressure.push(Math.min(1, Math.max(0, event.pressure)));
  }

  #draw({ x, y }) {
    const pen = this.#context;
    pen.strokeStyle = pen.fillStyle = getComputedStyle(this.#canvas).color;
    pen.lineWidth = this.penWidth;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo(x[0], y[0]);
    for (let i = 1; i < x.length; i++) pen.lineTo(x[i], y[i]);
    if (x.length === 1) pen.lineTo(x[0] + 0.01, y[0]);
    pen.stroke();
  }
}
