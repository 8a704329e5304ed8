/**
 * The sheet on which a character is drawn, or a picture laid. It keeps strokes in units of its own, so that it is crisp
 * on any screen, and every step, so that any can be undone. What is done with the drawing is the listener's business.
 *
 * @typedef {{x: number, y: number}} Point
 * @typedef {{width: number, points: Point[]}} Stroke
 * @typedef {{strokes: Stroke[], file: ?File}} State
 */

/** Width and height of the sheet in its own units: CSS pixels where there is room. */
const SIDE = 320;

const SHORT = 4;

/**
 * Paper around the sheet in the picture that is sent, as a share of its width. A character that reaches the edge is cut
 * off there, and what lies along a picture's border is often no ink at all but the edge of a page or of a form's cell,
 * which the recognizer leaves out.
 */
const SURROUND = 0.1;

const INK = "#101114";
const PAPER = "#ffffff"; // in the dark theme too: the picture that is sent is the one that is seen

export class Sheet {
  /** @type {State} */
  #state = { strokes: [], file: null };
  /** @type {State[]} */
  #past = [];
  /** @type {?Stroke} */
  #stroke = null;
  #pointer = -1;
  #frame = 0;

  /** Width of the pen, for strokes to come. */
  width = 16;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => void} changed called after every change, also within a stroke.
   */
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    this.changed = changed;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(end, (event) => this.#up(/** @type {PointerEvent} */ (event)));
    }
    addEventListener("resize", () => this.#repaint()); // zooming, too
    this.#paint();
  }

  get empty() {
    return !this.#state.strokes.length && !this.#stroke && !this.#state.file;
  }

  get undoable() {
    return this.#past.length > 0 || this.#stroke !== null;
  }

  /** The picture file that lies on the sheet instead of a drawing. */
  get file() {
    return this.#state.file;
  }

  /** Take the last step back: a stroke, a picture, or a clearing. */
  undo() {
    const before = this.#stroke ? this.#state : this.#past.pop();
    if (before) this.#become(before);
  }

  clear() {
    if (!this.empty) this.#change({ strokes: [], file: null });
  }

  /** @param {File} file the picture that takes the drawing's place. */
  put(file) {
    this.#change({ strokes: [], file });
  }

  /** @returns {Promise<Blob>} the file, or the drawing as a PNG with every pixel that the screen has. */
  async blob() {
    if (this.#state.file) return this.#state.file;
    this.#paint();
    const edge = Math.round(this.canvas.width * SURROUND);
    const whole = document.createElement("canvas");
    whole.width = whole.height = this.canvas.width + 2 * edge;
    const context = /** @type {CanvasRenderingContext2D} */ (whole.getContext("2d", { alpha: false }));
    context.fillStyle = PAPER;
    context.fillRect(0, 0, whole.width, whole.height);
    context.drawImage(this.canvas, edge, edge);
    const png = await new Promise((resolve) => whole.toBlob(resolve, "image/png"));
    if (!png) throw new Error("The browser could not make a picture of the drawing.");
    return png;
  }

  /** @param {State} state */
  #change(state) {
    this.#past.push(this.#state);
    this.#become(state);
  }

  /** @param {State} state */
  #become(state) {
    this.#state = state;
    this.#stroke = null;
    this.#pointer = -1;
    this.#repaint();
    this.changed();
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0 || this.#stroke) return; // a second finger does not draw
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    if (this.#state.file) this.clear(); // a new drawing in the picture's place
    this.#pointer = event.pointerId;
    this.#stroke = { width: this.width, points: [this.#place(event)] };
    this.#repaint();
    this.changed();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (!this.#stroke || event.pointerId !== this.#pointer) return;
    // Several positions may have come since the last frame. Safari had no such list before version 18.2.
    const coalesced = event.getCoalescedEvents?.() ?? [];
    for (const each of coalesced.length ? coalesced : [event]) this.#stroke.points.push(this.#place(each));
    this.#repaint();
    this.changed();
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (!this.#stroke || event.pointerId !== this.#pointer) return;
    this.#change({ strokes: [...this.#state.strokes, this.#stroke], file: null });
  }

  /** @param {PointerEvent} event @returns {Point} */
  #place(event) {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) * SIDE) / box.width,
      y: ((event.clientY - box.top) * SIDE) / box.height,
    };
  }

  #repaint() {
    this.#frame ||= requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const pixels = Math.max(1, Math.round(this.canvas.clientWidth * devicePixelRatio));
    if (this.canvas.width !== pixels) this.canvas.width = this.canvas.height = pixels;
    this.context.setTransform(pixels / SIDE, 0, 0, pixels / SIDE, 0, 0);
    this.context.fillStyle = PAPER;
    this.context.fillRect(0, 0, SIDE, SIDE);
    this.context.fillStyle = this.context.strokeStyle = INK;
    this.context.lineCap = this.context.lineJoin = "round";
    for (const stroke of this.#state.strokes) this.#trace(stroke);
    if (this.#stroke) this.#trace(this.#stroke);
  }

  /** @param {Stroke} stroke a smooth line through the middles between its points, with its corners kept. */
  #trace({ width, points }) {
    const [first] = points;
    const last = points[points.length - 1];
    this.context.lineWidth = width;
    this.context.beginPath();
    this.context.moveTo(first.x, first.y);
    for (let i = 1; i < points.length - 1; i++) {
      const [a, b, c] = [points[i - 1], points[i], points[i + 1]];
      const middle = { x: (b.x + c.x) / 2, y: (b.y + c.y) / 2 };
      if (isCorner(a, b, c)) {
        this.context.lineTo(b.x, b.y);
        this.context.lineTo(middle.x, middle.y);
      } else {
        this.context.quadraticCurveTo(b.x, b.y, middle.x, middle.y);
      }
    }
    this.context.lineTo(last.x, last.y);
    this.context.stroke();
    this.context.beginPath(); // a tap has no length, and a line without length is not drawn
    this.context.arc(first.x, first.y, width / 2, 0, 2 * Math.PI);
    this.context.fill();
  }
}

/**
 * Tell whether the way from a over b to c turns by more than 60 degrees. Shorter ways turn at every pixel, which means
 * nothing.
 * @param {Point} a @param {Point} b @param {Point} c
 */
function isCorner(a, b, c) {
  const [ux, uy, vx, vy] = [b.x - a.x, b.y - a.y, c.x - b.x, c.y - b.y];
  const [u, v] = [Math.hypot(ux, uy), Math.hypot(vx, vy)];
  return Math.min(u, v) > SHORT && ux * vx + uy * vy < 0.5 * u * v;
}
