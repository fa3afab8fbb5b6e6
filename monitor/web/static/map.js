// @ts-check
/** The map of a feature: points, colours, lasso, search; what is selected is resolved on the server. */
import { ask, say } from "./ask.js";
import { codesOf } from "./colours.js";
import { contours } from "./contours.js";
import { Plot } from "./plot.js";
import { fill, trait } from "./rows.js";

/** @param {string} id @returns {any} */
const el = (id) => document.getElementById(id);
const box = el("map");
const hover = el("hover");
const state = el("map-state");
const base = `/api/features/${box.dataset.feature}`;
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const plot = new Plot(box, el("canvas"), el("density"), el("overlay"), (i) => show(i));

/** What the address says, which a link carries. */
const address = new URL(location.href);
const FREE = ["polygon", "side", "cluster", "column", "value", "hidden", "text", "like", "picture", "at", "outlines"];
/** @type {Record<string, string>} */
const view = {
  since: box.dataset.since,
  until: box.dataset.until,
  colour: address.searchParams.get("colour") ?? "side",
  ...Object.fromEntries(FREE.map((name) => [name, address.searchParams.get(name) ?? ""])),
};
const NOTHING = { polygon: "", side: "", cluster: "", column: "", value: "", text: "", like: "", picture: "" };

/** @type {any} */
let about = null;
/** @type {import("./colours.js").Codes} */
let codes = { names: [], values: [], colours: [] };
/** @type {Set<number>} */
let hidden = new Set();
let tool = "lasso";
/** @type {Map<string, Promise<ArrayBuffer>>} */
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
  hidden: view.polygon && hidden.size ? `${view.colour}:${[...hidden].sort((a, b) => a - b).join(",")}` : "",
});
const isChosen = () => Boolean(view.polygon || view.side || view.cluster || view.column);

function remember() {
  const now = new URL(location.href);
  now.search = address.searchParams.has("no-webgl") ? "?no-webgl" : "";
  for (const [key, value] of Object.entries(view)) if (value && !(key === "colour" && value === "side")) now.searchParams.set(key, value);
  history.replaceState(null, "", now);
}

/* Points. */

/** @param {string} path @param {Record<string, any>} [more] @returns {Promise<ArrayBuffer>} */
function numbers(path, more) {
  const address = `${base}/map/${path}?${parameters(more)}`;
  let content = kept.get(address);
  if (!content) kept.set(address, (content = ask(address).then((answer) => answer.arrayBuffer())));
  return content;
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
  fillChoices();
  // What is not yet needed is asked for already, while the drawing commands are compiled.
  const [whole] = await Promise.all([
    numbers("points/xy"),
    codesOf(view.colour, about, numbers, parameters, base),
    plot.begin(`${base}/map/density.png?${parameters()}`, about.n),
  ]);
  plot.place(new Uint16Array(whole));
  await colour();
  const sample = about.n < about.n_all ? ` (a sample of ${about.n_all.toLocaleString("en")})` : "";
  state.textContent = `${about.n.toLocaleString("en")} rows${sample}`;
  box.dataset.ready = "true";
  el("slider-row").hidden = about.windows.length < 2 || !plot.hasPoints;
  el("at").max = about.windows.length;
  if (view.at) await at(Number(view.at));
  if (view.outlines) outlines();
  if (view.text) await find("text");
  else if (view.like) await find("like");
  else if (view.picture) await find("picture");
  else if (isChosen()) await select();
}

function fillChoices() {
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

async function colour() {
  codes = await codesOf(view.colour, about, numbers, parameters, base);
  const numbered = view.hidden.startsWith(`${view.colour}:`) ? view.hidden.slice(view.colour.length + 1) : "";
  hidden = new Set(numbered.split(",").filter(Boolean).map(Number));
  key();
  await plot.draw(codes, hidden);
}

function key() {
  el("legend").replaceChildren(
    ...codes.names.slice(0, 60).map((name, i) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(!hidden.has(i)));
      const dot = document.createElement("i");
      dot.className = "key";
      dot.style.background = codes.colours[i];
      const text = document.createElement("span");
      text.textContent = name;
      button.append(dot, text);
      button.addEventListener("click", () => {
        if (hidden.has(i)) hidden.delete(i);
        else hidden.add(i);
        button.setAttribute("aria-pressed", String(!hidden.has(i)));
        view.hidden = hidden.size ? `${view.colour}:${[...hidden].sort((a, b) => a - b).join(",")}` : "";
        view.at = "";
        plot.paint(codes, hidden);
        remember();
        if (view.polygon) select();
      });
      item.append(button);
      return item;
    }),
  );
}

/** Outlines of where the baseline and the windows lie closest. */
async function outlines() {
  const isOn = Boolean(view.outlines);
  el("outlines").setAttribute("aria-pressed", String(isOn));
  if (!isOn) {
    plot.lines([]);
    return;
  }
  const windows = new Uint16Array(await numbers("points/window"));
  const now = Number(view.at) || 0;
  plot.lines([
    ["outline-before", contours(plot.xs, plot.ys, (i) => windows[i] === 0)],
    ["outline-after", contours(plot.xs, plot.ys, (i) => (now ? windows[i] === now : windows[i] > 0))],
  ]);
}

/* Windows one after the other. */

let playing = 0;

let recoloured = Promise.resolve();

/** Show the baseline and this window only; 0 for all of them. @param {number} number */
async function at(number) {
  el("at").value = String(number);
  if (view.colour !== "window") {
    el("colour").value = view.colour = "window";
    view.hidden = "";
    recoloured = colour();
  }
  await recoloured;
  // Who moves the slider on meanwhile means the window where it stands.
  if (Number(el("at").value) !== number) return;
  el("at").setAttribute("aria-valuetext", number ? codes.names[number] : "all windows");
  el("at-says").textContent = number ? codes.names[number] : "all windows";
  view.at = number ? String(number) : "";
  view.hidden = "";
  hidden = new Set(number ? codes.names.map((_, i) => i).filter((i) => i !== 0 && i !== number) : []);
  key();
  plot.paint(codes, hidden);
  remember();
  if (view.outlines) await outlines();
}

function play() {
  const button = el("play");
  if (playing) {
    clearInterval(playing);
    playing = 0;
    button.setAttribute("aria-pressed", "false");
    return;
  }
  const step = () => at((Number(el("at").value) % about.windows.length) + 1);
  step();
  // Who wants no motion steps by hand: each press is one window.
  if (calm) return;
  button.setAttribute("aria-pressed", "true");
  playing = window.setInterval(step, 900);
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

/** What was drawn around before. */
function outline() {
  plot.outline(view.polygon ? view.polygon.split(";").map((c) => /** @type {[number, number]} */ (c.split(",").map(Number))) : []);
}

box.addEventListener(
  "pointerdown",
  (/** @type {PointerEvent} */ event) => {
    if (tool === "move" || event.button !== 0 || !about) return;
    event.stopPropagation();
    event.preventDefault();
    el("canvas").focus({ preventScroll: true });
    box.setPointerCapture(event.pointerId);
    isDrawing = true;
    drawn = [plot.at(event)];
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
  const here = plot.at(event);
  if (tool === "rectangle") {
    const [x, y] = drawn[0];
    drawn = [[x, y], [here[0], y], here, [x, here[1]]];
  } else {
    const [x, y] = drawn[drawn.length - 1];
    const near = 0.006 / plot.camera[0];
    if (Math.hypot(here[0] - x, here[1] - y) > near) drawn.push(here);
  }
  plot.outline(drawn);
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
  Object.assign(view, NOTHING, { polygon: corners.map(([x, y]) => `${x.toFixed(4)},${y.toFixed(4)}`).join(";") });
  select();
});
box.addEventListener("pointercancel", () => {
  isDrawing = false;
  outline();
});

/* What is selected or found. */

let asking = 0;

/** @param {any[]} rows */
function fillAndMark(rows) {
  fill(rows, about.columns);
  plot.mark(rows.map((row) => row.point));
}

async function select() {
  const mine = ++asking;
  outline();
  remember();
  if (!isChosen()) {
    clear(false);
    return;
  }
  el("found-title").textContent = "…";
  const selected = await (await ask(`${base}/selection?${parameters({ ...chosen(), n: 60 })}`)).json();
  if (mine !== asking) return;
  el("found-title").textContent = `${selected.n.toLocaleString("en")} rows`;
  const named = [view.side, view.cluster && `cluster ${view.cluster}`, view.column && `${view.column}: ${view.value}`].filter(Boolean).join(", ");
  const sides = `${selected.n_window.toLocaleString("en")} of the windows, ${selected.n_baseline.toLocaleString("en")} of the baseline.`;
  el("found-says").textContent = `${named ? `${named}: ` : ""}${sides} ${selected.traits.length ? "What sets them apart (the tick is all others):" : ""}`;
  el("traits").replaceChildren(...selected.traits.map((/** @type {any} */ t) => trait(t, () => {
    Object.assign(view, NOTHING);
    if (t.what === "side") view.side = t.value;
    else if (t.what === "cluster") view.cluster = t.value;
    else Object.assign(view, { column: t.what, value: t.value });
    select();
  })));
  fillAndMark(selected.rows);
  el("exports").hidden = !selected.n;
  for (const link of document.querySelectorAll("#exports a")) {
    const form = /** @type {HTMLElement} */ (link).dataset.form;
    /** @type {HTMLAnchorElement} */ (link).href = `${base}/selection.${form}?${parameters(chosen())}`;
  }
  box.dataset.selected = String(selected.n);
}

/** @param {boolean} forget */
function clear(forget = true) {
  asking++;
  if (forget) Object.assign(view, NOTHING);
  plot.outline([]);
  el("found-title").textContent = "Draw around points";
  el("found-says").textContent = "Near points are rows that look alike. Draw a lasso or search: the rows and what sets them apart stand here.";
  el("traits").replaceChildren();
  el("exports").hidden = true;
  if (about) fillAndMark([]);
  delete box.dataset.selected;
  remember();
}

/** @param {"text" | "like" | "image" | "picture"} kind @param {File} [file] */
async function find(kind, file) {
  const mine = ++asking;
  el("found-title").textContent = "Looking…";
  el("traits").replaceChildren();
  el("exports").hidden = true;
  plot.outline([]);
  Object.assign(view, NOTHING, kind === "image" ? {} : { [kind]: view[kind] });
  remember();
  try {
    /** @type {Response} */
    let answer;
    if (kind === "text") answer = await ask(`${base}/search?${parameters({ text: view.text })}`);
    else if (kind === "image") {
      const form = new FormData();
      form.set("file", /** @type {File} */ (file));
      answer = await ask(`${base}/search/image?${parameters()}`, { method: "POST", body: form });
    } else answer = await ask(`${base}/search/${kind}/${encodeURIComponent(view[kind])}?${parameters()}`);
    const rows = await answer.json();
    if (mine !== asking) return;
    const of = rows.filter((/** @type {any} */ row) => row.window).length;
    el("found-title").textContent = `The ${rows.length} most alike`;
    const what = { text: `“${view.text}”`, like: "this row", image: "your picture", picture: "this picture" }[kind];
    el("found-says").textContent = `To ${what}, the most alike first: ${of} of the windows (framed), ${rows.length - of} of the baseline.`;
    fillAndMark(rows);
    box.dataset.selected = String(rows.length);
  } catch (error) {
    if (mine !== asking) return;
    el("found-title").textContent = "Nothing found";
    el("found-says").textContent = String(error instanceof Error ? error.message : error);
    fillAndMark([]);
  }
}

/* A row under the pointer. */

let hovering = -1;
/** @param {number | null} i */
async function show(i) {
  if (i === null) {
    hovering = -1;
    hover.hidden = true;
    return;
  }
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
  const [across, down] = plot.onScreen(i);
  const x = across * width;
  hover.style.left = `${x > width - 180 ? x - 164 : x + 14}px`;
  hover.style.top = `${Math.min(Math.max(8, down * height - 60), height - 200)}px`;
  hover.hidden = false;
}

/* What people press. */

for (const button of document.querySelectorAll("[data-tool]")) {
  button.addEventListener("click", () => take(/** @type {HTMLElement} */ (button).dataset.tool ?? "lasso"));
}
el("play").addEventListener("click", play);
el("at").addEventListener("input", () => at(Number(el("at").value)));
el("outlines").addEventListener("click", () => {
  view.outlines = view.outlines ? "" : "on";
  remember();
  outlines();
});
el("clear").addEventListener("click", () => clear());
el("colour").addEventListener("change", async (/** @type {Event} */ event) => {
  view.colour = /** @type {HTMLSelectElement} */ (event.target).value;
  view.hidden = view.at = "";
  el("at").value = "0";
  el("at-says").textContent = "all windows";
  remember();
  await colour();
});
el("window").addEventListener("change", (/** @type {Event} */ event) => {
  const [since, until] = /** @type {HTMLSelectElement} */ (event.target).value.split("/");
  const next = new URL(location.href);
  // Numbers of points and of windows mean others there.
  for (const name of ["like", "hidden", "at"]) next.searchParams.delete(name);
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
window.addEventListener("unhandledrejection", (event) => {
  state.textContent = String(event.reason?.message ?? event.reason);
});
if (!el("window").querySelector("option[selected]")) {
  const own = el("own-span");
  own.hidden = false;
  own.selected = true;
  own.textContent = `${view.since.slice(0, 10)} to ${view.until.slice(0, 10)}`;
}
el("search-text").value = view.text;
take("lasso");
// So that tests and people at the console can see it.
Object.assign(box, { monitorMap: { about: () => about, view } });
load().catch((error) => {
  state.textContent = String(error instanceof Error ? error.message : error);
  say(state.textContent);
});
