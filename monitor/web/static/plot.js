// @ts-check
/** What is drawn on the map: points by WebGL, or the server's picture where that is missing; outlines above them. */

/** @typedef {import("./colours.js").Codes} Codes */

/** From so many points on, the server's picture stands until they are drawn. */
const PICTURE_FIRST = 100_000;
const SVG = "http://www.w3.org/2000/svg";

export class Plot {
  /** @type {any} */ #scatter = null;
  /** @type {ArrayBuffer | undefined} */ #index = undefined;
  /** @type {Float32Array} */ xs = new Float32Array();
  /** @type {Float32Array} */ ys = new Float32Array();
  /** @type {SVGPathElement[]} */ #outlines = [];
  /** @type {[number, number][]} */ #polygon = [];

  /**
   * @param {HTMLElement} box @param {HTMLCanvasElement} canvas @param {HTMLImageElement} picture @param {SVGElement} overlay
   * @param {(i: number | null) => void} onPoint the point under the pointer
   */
  constructor(box, canvas, picture, overlay, onPoint) {
    this.box = box;
    this.canvas = canvas;
    this.picture = picture;
    this.overlay = overlay;
    this.onPoint = onPoint;
    new ResizeObserver(() => {
      const { width, height } = box.getBoundingClientRect();
      this.#scatter?.set({ width, height });
    }).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#scatter?.set({ backgroundColor: background() }));
  }

  /** Whether points are drawn one by one. */
  get hasPoints() {
    return this.#scatter !== null;
  }

  /** Show the server's picture of so many points at once, if these take a while. @param {string} address @param {number} n */
  async begin(address, n) {
    if (n > PICTURE_FIRST) {
      this.picture.src = address;
      this.picture.hidden = false;
      // Compiling keeps the browser from painting: the picture comes first, unless it is late.
      const late = new Promise((done) => setTimeout(done, 2000));
      await Promise.race([this.picture.decode().catch(() => {}), late]);
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    }
    try {
      if (new URLSearchParams(location.search).has("no-webgl")) throw new Error("not wanted");
      const make = (await import("./vendor/regl-scatterplot.js")).default;
      const { width, height } = this.box.getBoundingClientRect();
      this.#scatter = make({
        canvas: this.canvas, width, height,
        pointSize: n > 400_000 ? 1.5 : n > 60_000 ? 2.2 : n > 8_000 ? 3.4 : 5.5,
        opacity: n > 400_000 ? 0.35 : n > 60_000 ? 0.5 : n > 8_000 ? 0.7 : 0.85,
        pointSizeSelected: 2,
        pointOutlineWidth: 1,
        backgroundColor: background(),
        lassoOnLongPress: false,
        lassoInitiator: false,
        spatialIndexUseWorker: false,
        mouseMode: "panZoom",
        // @ts-expect-error its types do not know this option
        actionKeyMap: {},
        pointColorActive: "#ffd166",
        pointColorHover: "#ffd166",
      });
      this.#scatter.subscribe("pointOver", this.onPoint);
      this.#scatter.subscribe("pointOut", () => this.onPoint(null));
      this.#scatter.subscribe("view", () => this.#trace());
      this.#scatter.set({ colorBy: "valueA" });
    } catch {
      // No WebGL, or one that lacks what is needed: the server's picture stays.
      this.#scatter = null;
      this.canvas.hidden = true;
      this.picture.hidden = false;
      if (!this.picture.src) this.picture.src = address;
    }
  }

  /** Where the points are. @param {Uint16Array} whole all x, then all y, 0 to 65535 */
  place(whole) {
    const n = whole.length / 2;
    this.xs = new Float32Array(n);
    this.ys = new Float32Array(n);
    for (let i = 0; i < n; i++) {
      this.xs[i] = whole[i] / 32767.5 - 1;
      this.ys[i] = whole[n + i] / 32767.5 - 1;
    }
    this.#index = undefined;
  }

  /** @param {Codes} codes @param {Set<number>} hidden */
  async draw(codes, hidden) {
    if (!this.#scatter) return;
    this.paint(codes, hidden);
    await this.#scatter.draw(
      { x: this.xs, y: this.ys, z: codes.values },
      { zDataType: "categorical", preventFilterReset: true, spatialIndex: this.#index },
    );
    // The points stay where they are when their colours change.
    this.#index = this.#scatter.get("spatialIndex");
    this.picture.hidden = true;
  }

  /** Other colours for the same categories. @param {Codes} codes @param {Set<number>} hidden */
  paint(codes, hidden) {
    const shown = codes.colours.map((c, i) => (hidden.has(i) ? [0, 0, 0, 0] : c));
    // One colour alone would be read as that of all points.
    this.#scatter?.set({ pointColor: shown.length === 1 ? [shown[0], shown[0]] : shown });
  }

  /** Mark these points; none takes the marks back. @param {number[]} points */
  mark(points) {
    if (points.length) this.#scatter?.select(points, { preventEvent: true });
    else this.#scatter?.deselect({ preventEvent: true });
  }

  /** @returns {number[]} a 4×4 matrix by columns */
  get camera() {
    return this.#scatter ? [...this.#scatter.get("cameraView")] : [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  }

  /** From the screen to the data. @param {PointerEvent} event @returns {[number, number]} */
  at(event) {
    const { left, top, width, height } = this.box.getBoundingClientRect();
    const x = ((event.clientX - left) / width) * 2 - 1;
    const y = 1 - ((event.clientY - top) / height) * 2;
    const m = this.camera;
    return [(x - m[12]) / m[0], (y - m[13]) / m[5]];
  }

  /** From a point to the screen: parts of the box, from its left and its top. @param {number} i @returns {[number, number]} */
  onScreen(i) {
    const m = this.camera;
    return [(this.xs[i] * m[0] + m[12] + 1) / 2, (1 - (this.ys[i] * m[5] + m[13])) / 2];
  }

  /** What is drawn around. @param {[number, number][]} corners */
  outline(corners) {
    this.#polygon = corners;
    this.#trace();
  }

  /** Lines above the points, each with a class of its own. @param {[string, number[][]][]} groups */
  lines(groups) {
    this.#outlines = groups.map(([name, lines]) => {
      const path = /** @type {SVGPathElement} */ (document.createElementNS(SVG, "path"));
      path.setAttribute("class", name);
      path.setAttribute("d", lines.map(([x1, y1, x2, y2]) => `M${x1.toFixed(4)} ${(-y1).toFixed(4)}L${x2.toFixed(4)} ${(-y2).toFixed(4)}`).join(""));
      return path;
    });
    this.#trace();
  }

  #trace() {
    const m = this.camera;
    const shapes = [...this.#outlines];
    for (const path of shapes) path.setAttribute("transform", `matrix(${m[0]} 0 0 ${m[5]} ${m[12]} ${-m[13]})`);
    if (this.#polygon.length) {
      const shape = /** @type {SVGPathElement} */ (document.createElementNS(SVG, "polygon"));
      shape.setAttribute("points", this.#polygon.map(([x, y]) => `${x * m[0] + m[12]},${-(y * m[5] + m[13])}`).join(" "));
      shapes.push(shape);
    }
    this.overlay.replaceChildren(...shapes);
  }
}

const background = () => getComputedStyle(document.documentElement).getPropertyValue("--surface").trim();
