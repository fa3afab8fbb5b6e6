// @ts-check
/** The map of a feature: points, colours, lasso, search; what is selected is resolved on the server. */
import { ask, say } from "./page.js";

/** @param {string} id @returns {any} */
const el = (id) => document.getElementById(id);
const box = el("map");
const canvas = el("canvas");
const density = el("density");
const overlay = el("overlay");
const hover = el("hover");
const state = el("map-state");
const legend = el("legend");
const gallery = el("gallery");
const traits = el("traits");
const base = `/api/features/${box.dataset.feature}`;
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Okabe and Ito's colours (2008), without black; then the same again, lighter and darker. */
const OKABE = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#8c6bb1"];
const VIRIDIS = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];
const GREY = "#8b919c";
const DRIFT = "#d55e00";

/** What the address says, which a link carries. */
const address = new URL(location.href);
const view = {
  since: box.dataset.since,
  until: box.dataset.until,
  colour: address.searchParams.get("colour") ?? "side",
  polygon: address.searchParams.get("polygon") ?? "",
  side: address.searchParams.get("side") ?? "",
  cluster: address.searchParams.get("cluster") ?? "",
  column: address.searchParams.get("column") ?? "",
  value: address.searchParams.get("value") ?? "",
  hidden: address.searchParams.get("hidden") ?? "",
  text: address.searchParams.get("text") ?? "",
  like: address.searchParams.get("like") ?? "",
};

/** @type {any} */
let about = null;
/** @type {any} */
let plot = null;
/** @type {Float32Array} */ let xs = new Float32Array();
/** @type {Float32Array} */ let ys = new Float32Array();
/** @type {{ names: string[], values: ArrayLike<number>, colours: string[] }} */
let coded = { names: [], values: [], colours: [] };
/** @type {Set<number>} */
let hidden = new Set();
let tool = "lasso";
/** @type {Map<string, any>} */
const kept = new Map();

/** @param {Record<string, any>} [more] */
function parameters(more = {}) {
  const given = new URLSearchParams();
  for (const [key, value] of Object.entries({ since: view.since, until: view.until, ...more })) {
    if (value !== "" && value !== null && value !== undefined) given.set(key, String(value));
  }
  return given;
}
const chosen = () => ({
  polygon: view.polygon,
  side: view.side,
  cluster: view.cluster,
  column: view.column,
  value: view.column ? view.value : "",
  hidden: view.polygon ? view.hidden : "",
});
const isChosen = () => Boolean(view.polygon || view.side || view.cluster || view.column);

function remember() {
  const now = new URL(location.href);
  now.search = "";
  for (const [key, value] of Object.entries(view)) if (value && !(key === "colour" && value === "side")) now.searchParams.set(key, value);
  history.replaceState(null, "", now);
}

/* Points. */

/** @param {string} path @param {Record<string, any>} [more] */
async function numbers(path, more) {
  const address = `${base}/map/${path}?${parameters(more)}`;
  if (!kept.has(address)) kept.set(address, (await ask(address)).arrayBuffer());
  return kept.get(address);
}

async function load() {
  state.textContent = "Loading the map…";
  for (;;) {
    about = await (await ask(`${base}/map?${parameters()}`)).json();
    if (about.state === "ready") break;
    state.textContent = `Placing the rows: ${about.done} of ${about.total} parts…`;
    await new Promise((done) => setTimeout(done, 700));
  }
  if (!about.n) {
    state.textContent = "There are no rows with vectors in these windows.";
    return;
  }
  const whole = new Uint16Array(await numbers("points/xy"));
  xs = new Float32Array(about.n);
  ys = new Float32Array(about.n);
  for (let i = 0; i < about.n; i++) {
    xs[i] = whole[i] / 32767.5 - 1;
    ys[i] = whole[about.n + i] / 32767.5 - 1;
  }
  fillColours();
  await begin();
  await colour();
  const sample = about.n < about.n_all ? ` (a sample of ${about.n_all.toLocaleString("en")})` : "";
  state.textContent = `${about.n.toLocaleString("en")} rows${sample}`;
  box.dataset.ready = "true";
  el("play").hidden = about.windows.length < 2 || !plot;
  if (view.text) await find("text");
  else if (view.like) await find("like");
  else if (isChosen()) await select();
}

function fillColours() {
  const choice = /** @type {HTMLSelectElement} */ (el("colour"));
  for (const name of about.columns) {
    const option = document.createElement("option");
    option.value = `column:${name}`;
    option.textContent = name;
    choice.append(option);
  }
  choice.value = view.colour;
  if (choice.value !== view.colour) choice.value = view.colour = "side";
  const search = el("search-text");
  search.disabled = el("search-image").disabled = !about.can_search;
  if (!about.can_search) search.placeholder = "needs a model that reads texts";
}

/** Which categories the points are of, and what stands for each. */
async function codes() {
  const n = about.n;
  if (view.colour === "side") {
    const values = new Uint16Array(await numbers("points/side"));
    return { names: ["baseline", "window"], values, colours: [GREY, DRIFT] };
  }
  if (view.colour === "cluster") {
    return { names: about.clusters, values: new Uint16Array(await numbers("points/cluster")), colours: about.clusters.map(palette) };
  }
  if (view.colour === "novelty") {
    const values = new Uint16Array(await numbers("points/novelty"));
    const steps = new Uint8Array(n);
    for (let i = 0; i < n; i++) steps[i] = Math.min(7, Math.floor(values[i] / 200));
    const names = VIRIDIS.map((_, i) => (i === 7 ? "1.4 and more" : `${(i * 0.2).toFixed(1)} to ${((i + 1) * 0.2).toFixed(1)}`));
    return { names, values: steps, colours: VIRIDIS };
  }
  if (view.colour === "window") {
    const values = new Uint16Array(await numbers("points/window"));
    const names = ["baseline", ...about.windows.map((/** @type {any} */ w) => w.start.slice(0, 16).replace("T00:00", "").replace("T", " "))];
    const last = Math.max(1, about.windows.length - 1);
    const colours = [GREY, ...about.windows.map((/** @type {any} */ _, /** @type {number} */ i) => VIRIDIS[Math.round((i / last) * 6)])];
    return { names, values, colours };
  }
  const column = view.colour.slice(7);
  const { names } = await (await ask(`${base}/map/codes?${parameters({ column })}`)).json();
  return { names, values: new Uint8Array(await numbers("values", { column })), colours: names.map(palette) };
}

/** @param {unknown} _ @param {number} i */
function palette(_, i) {
  const hex = OKABE[i % OKABE.length];
  const turn = Math.floor(i / OKABE.length);
  if (!turn) return hex;
  const mix = turn % 2 ? 255 : 0;
  const part = Math.min(0.6, 0.3 + 0.12 * Math.floor(turn / 2));
  return `#${[1, 3, 5].map((at) => Math.round(parseInt(hex.slice(at, at + 2), 16) * (1 - part) + mix * part).toString(16).padStart(2, "0")).join("")}`;
}

async function begin() {
  if (plot || density.src) return;
  let scatter = null;
  try {
    const probe = document.createElement("canvas");
    if (address.searchParams.has("no-webgl") || !(probe.getContext("webgl2") ?? probe.getContext("webgl"))) throw new Error("no WebGL");
    scatter = (await import("./vendor/regl-scatterplot.js")).default;
    const n = about.n;
    const { width, height } = box.getBoundingClientRect();
    plot = scatter({
      canvas, width, height,
      pointSize: n > 400_000 ? 1.5 : n > 60_000 ? 2.2 : n > 8_000 ? 3.4 : 5,
      opacity: n > 400_000 ? 0.35 : n > 60_000 ? 0.5 : n > 8_000 ? 0.7 : 0.85,
      pointSizeSelected: 2,
      pointOutlineWidth: 1,
      backgroundColor: background(),
      lassoOnLongPress: false,
      lassoInitiator: false,
      spatialIndexUseWorker: false,
      mouseMode: "panZoom",
      actionKeyMap: {},
      pointColorActive: "#ffd166",
      pointColorHover: "#ffd166",
      cameraIsFixed: false,
    });
    plot.subscribe("pointOver", (/** @type {number} */ i) => show(i));
    plot.subscribe("pointOut", () => (hover.hidden = true));
    plot.subscribe("view", outline);
    plot.set({ colorBy: "valueA" });
  } catch (error) {
    plot = null;
    canvas.hidden = true;
    density.hidden = false;
    density.src = `${base}/map/density.png?${parameters()}`;
    if (String(error).includes("no WebGL")) say("This browser has no WebGL: the server draws the map");
    else throw error;
  }
}

const background = () => getComputedStyle(document.documentElement).getPropertyValue("--surface").trim();

async function colour() {
  coded = await codes();
  hidden = new Set(view.hidden.startsWith(`${view.colour}:`) ? view.hidden.slice(view.colour.length + 1).split(",").filter(Boolean).map(Number) : []);
  key();
  if (!plot) return;
  paint();
  await plot.draw({ x: xs, y: ys, z: coded.values }, { zDataType: "categorical", preventFilterReset: true });
}

function paint() {
  if (!plot) return;
  const shown = coded.colours.map((c, i) => (hidden.has(i) ? [0, 0, 0, 0] : c));
  // One colour alone would be read as that of all points.
  plot.set({ pointColor: shown.length === 1 ? [shown[0], shown[0]] : shown });
}

function key() {
  legend.replaceChildren(
    ...coded.names.slice(0, 60).map((name, i) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(!hidden.has(i)));
      const dot = document.createElement("i");
      dot.className = "key";
      dot.style.background = coded.colours[i];
      const text = document.createElement("span");
      text.textContent = name;
      button.append(dot, text);
      button.addEventListener("click", () => {
        if (hidden.has(i)) hidden.delete(i);
        else hidden.add(i);
        button.setAttribute("aria-pressed", String(!hidden.has(i)));
        view.hidden = hidden.size ? `${view.colour}:${[...hidden].sort((a, b) => a - b).join(",")}` : "";
        paint();
        remember();
        if (view.polygon) select();
      });
      item.append(button);
      return item;
    }),
  );
}

/* From the screen to the data and back. */

/** @returns {number[]} a 4×4 matrix by columns */
const camera = () => (plot ? [...plot.get("cameraView")] : [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);

/** @param {PointerEvent} event @returns {[number, number]} */
function place(event) {
  const { left, top, width, height } = box.getBoundingClientRect();
  const x = ((event.clientX - left) / width) * 2 - 1;
  const y = 1 - ((event.clientY - top) / height) * 2;
  const m = camera();
  return [(x - m[12]) / m[0], (y - m[13]) / m[5]];
}

/** @param {[number, number][]} corners */
function trace(corners) {
  const m = camera();
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
  shape.setAttribute("points", corners.map(([x, y]) => `${x * m[0] + m[12]},${-(y * m[5] + m[13])}`).join(" "));
  overlay.replaceChildren(shape);
}

function outline() {
  if (!view.polygon) {
    overlay.replaceChildren();
    return;
  }
  trace(view.polygon.split(";").map((c) => /** @type {[number, number]} */ (c.split(",").map(Number))));
}

/* Lasso and rectangle. */

/** @type {[number, number][]} */
let drawn = [];
let isDrawing = false;

/** @param {string} next */
function take(next) {
  tool = next;
  for (const button of document.querySelectorAll("[data-tool]")) {
    button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.tool === next));
  }
  box.classList.toggle("drawing", next !== "move");
}

box.addEventListener(
  "pointerdown",
  (/** @type {PointerEvent} */ event) => {
    if (tool === "move" || event.button !== 0 || !about) return;
    event.stopPropagation();
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    box.setPointerCapture(event.pointerId);
    isDrawing = true;
    drawn = [place(event)];
    hover.hidden = true;
  },
  true,
);
// The plot's own handlers must not see what draws a lasso.
for (const kind of ["mousedown", "click", "dblclick"]) {
  box.addEventListener(kind, (/** @type {Event} */ event) => { if (tool !== "move") event.stopPropagation(); }, true);
}
box.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
  if (!isDrawing) return;
  const here = place(event);
  if (tool === "rectangle") {
    const [x, y] = drawn[0];
    drawn = [[x, y], [here[0], y], here, [x, here[1]]];
  } else {
    const [x, y] = drawn[drawn.length - 1];
    const near = 0.006 / camera()[0];
    if (Math.hypot(here[0] - x, here[1] - y) > near) drawn.push(here);
  }
  trace(drawn);
});
box.addEventListener("pointerup", () => {
  if (!isDrawing) return;
  isDrawing = false;
  if (drawn.length < 3) {
    outline();
    return;
  }
  // The server takes 600 corners; a hand needs far fewer.
  const step = Math.ceil(drawn.length / 160);
  const corners = drawn.filter((_, i) => i % step === 0);
  Object.assign(view, { polygon: corners.map(([x, y]) => `${x.toFixed(4)},${y.toFixed(4)}`).join(";"), side: "", cluster: "", column: "", value: "", text: "", like: "" });
  select();
});
box.addEventListener("pointercancel", () => {
  isDrawing = false;
  outline();
});

/* What is selected or found. */

let asking = 0;

async function select() {
  const mine = ++asking;
  outline();
  remember();
  if (!isChosen()) {
    clear(false);
    return;
  }
  el("found-title").textContent = "…";
  const found = await (await ask(`${base}/selection?${parameters({ ...chosen(), n: 60 })}`)).json();
  if (mine !== asking) return;
  el("found-title").textContent = `${found.n.toLocaleString("en")} rows`;
  const named = [view.side, view.cluster && `cluster ${view.cluster}`, view.column && `${view.column}: ${view.value}`].filter(Boolean).join(", ");
  el("found-says").textContent = `${named ? `${named}: ` : ""}${found.n_window.toLocaleString("en")} of the windows, ${found.n_baseline.toLocaleString("en")} of the baseline. ${found.traits.length ? "What sets them apart (the tick is all others):" : ""}`;
  traits.replaceChildren(...found.traits.map(trait));
  fill(found.rows);
  el("exports").hidden = !found.n;
  for (const link of document.querySelectorAll("#exports a")) {
    const form = /** @type {HTMLElement} */ (link).dataset.form;
    /** @type {HTMLAnchorElement} */ (link).href = `${base}/selection.${form}?${parameters(chosen())}`;
  }
  box.dataset.selected = String(found.n);
}

/** @param {any} t */
function trait(t) {
  const line = document.createElement("button");
  line.type = "button";
  line.className = "trait";
  line.title = "Select all rows of this kind";
  const name = document.createElement("span");
  name.className = "name";
  name.textContent = t.what === "side" ? t.value : `${t.what} ${t.value}`;
  const track = document.createElement("span");
  track.className = "track";
  track.style.setProperty("--w", `${t.share * 100}%`);
  track.style.setProperty("--o", `${t.share_of_others * 100}%`);
  track.append(document.createElement("i"), document.createElement("b"));
  const lift = document.createElement("span");
  lift.className = "muted";
  lift.textContent = t.lift === null ? `${percent(t.share)}, nowhere else` : `${percent(t.share)}, ×${t.lift < 10 ? t.lift.toFixed(1) : Math.round(t.lift)}`;
  line.append(name, track, lift);
  line.addEventListener("click", () => {
    Object.assign(view, { polygon: "", side: "", cluster: "", column: "", value: "", text: "", like: "" });
    if (t.what === "side") view.side = t.value;
    else if (t.what === "cluster") view.cluster = t.value;
    else Object.assign(view, { column: t.what, value: t.value });
    select();
  });
  return line;
}

const percent = (/** @type {number} */ share) => `${share < 0.1 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`;

/** @param {any[]} rows */
function fill(rows) {
  gallery.replaceChildren(...rows.map((row) => {
    const item = document.createElement("li");
    const name = (row.source ?? row.row).split("/").pop();
    const what = [row.source ?? `row ${row.row}`, row.window ? "window" : "baseline", row.similarity === null ? "" : `similarity ${row.similarity.toFixed(3)}`].filter(Boolean).join(", ");
    if (!row.picture) {
      const tile = document.createElement("span");
      tile.className = "tile none";
      tile.title = what;
      tile.textContent = name;
      item.append(tile);
      return item;
    }
    const tile = document.createElement("button");
    tile.type = "button";
    tile.className = `tile${row.window ? " is-window" : ""}`;
    Object.assign(tile.dataset, { picture: row.picture, label: what, when: row.time ?? "", point: row.point });
    if (row.link) tile.dataset.href = row.link;
    const image = document.createElement("img");
    image.src = `/thumb/${row.picture}`;
    image.alt = name;
    image.loading = "lazy";
    tile.append(image);
    item.append(tile);
    return item;
  }));
  const columns = about.columns.slice(0, 8);
  const head = document.createElement("tr");
  for (const name of ["row", "side", "cluster", ...columns]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    head.append(cell);
  }
  const top = document.createElement("thead");
  top.append(head);
  const body = document.createElement("tbody");
  for (const row of rows) {
    const line = document.createElement("tr");
    const cells = [row.source ?? row.row, row.window ? "window" : "baseline", row.cluster, ...columns.map((/** @type {string} */ c) => row.columns[c] ?? "")];
    for (const value of cells) {
      const cell = document.createElement("td");
      cell.textContent = String(value);
      cell.title = String(value);
      line.append(cell);
    }
    body.append(line);
  }
  el("rows").replaceChildren(top, body);
  el("rows-fold").hidden = !rows.length;
  const points = rows.map((row) => row.point);
  plot?.select(points, { preventEvent: true });
}

/** @param {boolean} forget */
function clear(forget = true) {
  if (forget) Object.assign(view, { polygon: "", side: "", cluster: "", column: "", value: "", text: "", like: "" });
  overlay.replaceChildren();
  el("found-title").textContent = "Draw around points";
  el("found-says").textContent = "Near points are rows that look alike. Draw a lasso or search: the rows and what sets them apart stand here.";
  traits.replaceChildren();
  gallery.replaceChildren();
  el("exports").hidden = true;
  el("rows-fold").hidden = true;
  plot?.deselect({ preventEvent: true });
  delete box.dataset.selected;
  remember();
}

/** @param {"text" | "like" | "image"} kind @param {File} [file] */
async function find(kind, file) {
  const mine = ++asking;
  el("found-title").textContent = "Looking…";
  traits.replaceChildren();
  overlay.replaceChildren();
  Object.assign(view, { polygon: "", side: "", cluster: "", column: "", value: "" });
  if (kind !== "text") view.text = "";
  if (kind !== "like") view.like = "";
  remember();
  try {
    /** @type {Response} */
    let answer;
    if (kind === "text") answer = await ask(`${base}/search?${parameters({ text: view.text })}`);
    else if (kind === "like") answer = await ask(`${base}/search/like/${view.like}?${parameters()}`);
    else {
      const form = new FormData();
      form.set("file", /** @type {File} */ (file));
      answer = await ask(`${base}/search/image?${parameters()}`, { method: "POST", body: form });
    }
    const rows = await answer.json();
    if (mine !== asking) return;
    const of = rows.filter((/** @type {any} */ row) => row.window).length;
    el("found-title").textContent = `The ${rows.length} most alike`;
    const what = kind === "text" ? `“${view.text}”` : kind === "like" ? "this row" : "your picture";
    el("found-says").textContent = `To ${what}, the most alike first: ${of} of the windows (framed), ${rows.length - of} of the baseline.`;
    el("exports").hidden = true;
    fill(rows);
    box.dataset.selected = String(rows.length);
  } catch (error) {
    if (mine !== asking) return;
    el("found-title").textContent = "Nothing found";
    el("found-says").textContent = String(error instanceof Error ? error.message : error);
    fill([]);
  }
}

/* A row under the pointer. */

let hovering = -1;
/** @param {number} i */
async function show(i) {
  hovering = i;
  if (isDrawing) return;
  await new Promise((done) => setTimeout(done, 70));
  if (hovering !== i) return;
  const row = await (await ask(`${base}/map/rows/${i}?${parameters()}`)).json();
  if (hovering !== i) return;
  const caption = document.createElement("figcaption");
  caption.textContent = `${(row.source ?? row.row).split("/").pop()} · ${row.window ? "window" : "baseline"}, cluster ${row.cluster}`;
  hover.replaceChildren();
  if (row.picture) {
    const image = document.createElement("img");
    image.src = `/thumb/${row.picture}`;
    image.alt = "";
    image.addEventListener("error", () => image.remove());
    hover.append(image);
  }
  hover.append(caption);
  const { width, height } = box.getBoundingClientRect();
  const m = camera();
  const x = ((xs[i] * m[0] + m[12] + 1) / 2) * width;
  const y = ((1 - (ys[i] * m[5] + m[13])) / 2) * height;
  hover.style.left = `${x > width - 180 ? x - 164 : x + 14}px`;
  hover.style.top = `${Math.min(Math.max(8, y - 60), height - 200)}px`;
  hover.hidden = false;
}

/* Windows one after the other. */

let playing = 0;
async function play() {
  const button = el("play");
  if (playing) {
    clearInterval(playing);
    playing = 0;
    button.setAttribute("aria-pressed", "false");
    hidden.clear();
    paint();
    return;
  }
  el("colour").value = view.colour = "window";
  await colour();
  let at = 0;
  const step = () => {
    at = (at % about.windows.length) + 1;
    hidden = new Set(coded.names.map((_, i) => i).filter((i) => i !== 0 && i !== at));
    paint();
    state.textContent = coded.names[at];
  };
  button.setAttribute("aria-pressed", "true");
  step();
  // Who wants no motion steps by hand: each press of the button is one window.
  if (calm) {
    button.setAttribute("aria-pressed", "false");
    button.onclick = step;
    return;
  }
  playing = window.setInterval(step, 900);
}

/* What people press. */

for (const button of document.querySelectorAll("[data-tool]")) {
  button.addEventListener("click", () => take(/** @type {HTMLElement} */ (button).dataset.tool ?? "lasso"));
}
el("play").addEventListener("click", play);
el("clear").addEventListener("click", () => clear());
el("colour").addEventListener("change", async (/** @type {Event} */ event) => {
  view.colour = /** @type {HTMLSelectElement} */ (event.target).value;
  view.hidden = "";
  remember();
  await colour();
});
el("window").addEventListener("change", (/** @type {Event} */ event) => {
  const [since, until] = /** @type {HTMLSelectElement} */ (event.target).value.split("/");
  const next = new URL(location.href);
  for (const name of ["like", "hidden"]) next.searchParams.delete(name);
  next.searchParams.set("since", since);
  next.searchParams.set("until", until);
  location.href = next.href;
});
el("map-form").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  view.text = el("search-text").value.trim();
  if (view.text && about) find("text");
});
el("search-image").addEventListener("change", (/** @type {Event} */ event) => {
  const file = /** @type {HTMLInputElement} */ (event.target).files?.[0];
  if (file) find("image", file);
});
for (const kind of ["dragover", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    const file = /** @type {DragEvent} */ (event).dataTransfer?.files[0];
    if (kind === "drop" && file && about?.can_search) find("image", file);
  });
}
document.addEventListener("more-like", (event) => {
  view.like = String(/** @type {CustomEvent} */ (event).detail);
  find("like");
});
document.addEventListener("keydown", (event) => {
  const target = event.target instanceof HTMLElement ? event.target : null;
  if (event.ctrlKey || event.metaKey || event.altKey || target?.closest("input, select, textarea, dialog")) return;
  if (event.key === "/") {
    event.preventDefault();
    el("search-text").focus();
  }
  const tools = { l: "lasso", r: "rectangle", v: "move" };
  if (event.key in tools) take(tools[/** @type {"l"} */ (event.key)]);
  if (event.key === "Escape") clear();
});
new ResizeObserver(() => {
  const { width, height } = box.getBoundingClientRect();
  plot?.set({ width, height });
}).observe(box);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot?.set({ backgroundColor: background() }));
window.addEventListener("unhandledrejection", (event) => {
  state.textContent = String(event.reason?.message ?? event.reason);
});
if (!el("window").querySelector("option[selected]")) {
  const own = el("own-span");
  own.hidden = false;
  own.selected = true;
  own.textContent = `${view.since?.slice(0, 10)} to ${view.until?.slice(0, 10)}`;
}
el("search-text").value = view.text;
take("lasso");
// So that tests and people at the console can see it.
Object.assign(box, { monitorMap: { about: () => about, view } });
load();
