// @ts-check
/** The timeline of a feature: drift above rows and failures, on one axis of time. */
import uPlot from "./vendor/uplot.js";
import { ask, say } from "./ask.js";

/**
 * @typedef {object} Window
 * @property {string} start @property {string} end @property {string} verdict
 * @property {number | null} share @property {number | null} p_value @property {number} alpha
 * @property {number | null} jsd @property {number} n_rows @property {number} n_failed
 * @property {string[]} kinds @property {string | null} mark
 */

const box = /** @type {HTMLElement} */ (document.querySelector("#timeline"));
const says = /** @type {HTMLElement} */ (document.querySelector("#timeline-says"));
const measure = /** @type {HTMLSelectElement} */ (document.querySelector("#measure"));
const reset = /** @type {HTMLButtonElement} */ (document.querySelector("#reset"));
const links = /** @type {HTMLElement} */ (document.querySelector("#range-links"));
const mapLink = /** @type {HTMLAnchorElement | null} */ (document.querySelector("#range-map"));
const feature = box.dataset.feature;
const usual = says.textContent;
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

/** @param {string} name */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const style = document.createElement("link");
style.rel = "stylesheet";
style.href = new URL("./vendor/uplot.css", import.meta.url).href;
document.head.append(style);

/** @typedef {{ start: string, end: string, goes_on: boolean, mark: string | null }} Episode */
/** @type {{ windows: Window[], episodes: Episode[] }} */
const { windows, episodes } = await (await ask(`/api/features/${feature}/windows?n=${box.dataset.n}`)).json();
const starts = windows.map((w) => Date.parse(w.start) / 1000);
const ends = windows.map((w) => Date.parse(w.end) / 1000);
const middles = starts.map((start, i) => (start + ends[i]) / 2);
const whole = { min: starts[0], max: ends[ends.length - 1] };

/** @type {Record<string, (w: Window) => number | null>} */
const MEASURES = {
  share: (w) => (w.verdict === "inconclusive" ? null : w.verdict === "drift" ? (w.share ?? 0) : 0),
  logp: (w) => (w.p_value === null ? null : Math.min(-Math.log10(Math.max(w.p_value, 1e-99)), 99)),
  jsd: (w) => (w.verdict === "inconclusive" ? null : w.jsd),
};

/** @param {string} key */
function shown(key) {
  if (key === "share") return (/** @type {number} */ v) => `${Math.round(v * 100)} %`;
  return (/** @type {number} */ v) => (key === "logp" ? v.toFixed(0) : v.toFixed(2));
}

/** A band behind the windows of each episode, with what somebody said of it. @param {uPlot} u */
function bands(u) {
  const { ctx } = u;
  const r = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  ctx.clip();
  ctx.font = `${11.5 * r}px system-ui, sans-serif`;
  for (const episode of episodes) {
    const left = u.valToPos(Date.parse(episode.start) / 1000, "x", true);
    const right = u.valToPos(Date.parse(episode.end) / 1000, "x", true);
    const width = Math.max(right - left, 2 * r);
    ctx.fillStyle = colour(episode.mark === "harmless" ? "--soft" : "--drift-soft");
    ctx.fillRect(left, u.bbox.top, width, u.bbox.height);
    if (episode.mark && ctx.measureText(episode.mark).width + 10 * r < width) {
      ctx.fillStyle = colour("--muted");
      ctx.fillText(episode.mark, left + 5 * r, u.bbox.top + 14 * r);
    }
  }
  ctx.restore();
}

/** A mark for each window: its shape is its verdict. @param {uPlot} u */
function marks(u) {
  const { ctx } = u;
  const dense = windows.length > 120;
  ctx.save();
  ctx.beginPath();
  ctx.rect(u.bbox.left, u.bbox.top - 9, u.bbox.width, u.bbox.height + 18);
  ctx.clip();
  const r = devicePixelRatio;
  windows.forEach((w, i) => {
    if (dense && w.verdict === "no drift") return;
    const x = u.valToPos(middles[i], "x", true);
    const value = MEASURES[measure.value](w);
    const y = u.valToPos(value ?? 0, "y", true);
    ctx.beginPath();
    if (w.verdict === "drift") {
      ctx.moveTo(x, y - 6 * r);
      ctx.lineTo(x + 5.5 * r, y + 4 * r);
      ctx.lineTo(x - 5.5 * r, y + 4 * r);
      ctx.closePath();
      ctx.fillStyle = colour("--drift");
      ctx.fill();
    } else if (w.verdict === "no drift") {
      ctx.arc(x, y, 3.4 * r, 0, 7);
      ctx.fillStyle = colour("--calm");
      ctx.fill();
    } else {
      ctx.moveTo(x, y - 5 * r);
      ctx.lineTo(x + 5 * r, y);
      ctx.lineTo(x, y + 5 * r);
      ctx.lineTo(x - 5 * r, y);
      ctx.closePath();
      ctx.fillStyle = colour("--surface");
      ctx.fill();
      ctx.lineWidth = 1.5 * r;
      ctx.strokeStyle = colour("--open");
      ctx.stroke();
    }
  });
  if (measure.value === "logp" && windows.length) {
    const y = u.valToPos(-Math.log10(windows[windows.length - 1].alpha), "y", true);
    ctx.beginPath();
    ctx.setLineDash([4 * r, 4 * r]);
    ctx.moveTo(u.bbox.left, y);
    ctx.lineTo(u.bbox.left + u.bbox.width, y);
    ctx.strokeStyle = colour("--muted");
    ctx.lineWidth = r;
    ctx.stroke();
  }
  ctx.restore();
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Days as the rest of the page writes them; hours between them. @param {uPlot} _ @param {number[]} ticks */
function days(_, ticks) {
  let before = "";
  return ticks.map((tick) => {
    const at = new Date(tick * 1000);
    const day = `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
    const hour = at.getUTCHours() * 60 + at.getUTCMinutes();
    if (hour) return `${at.toISOString().slice(11, 16)}`;
    const text = `${at.getUTCFullYear()}` === before ? day : `${day}\n${at.getUTCFullYear()}`;
    before = `${at.getUTCFullYear()}`;
    return text;
  });
}

const sync = uPlot.sync("timeline");
/** @type {uPlot[]} */
let plots = [];
let range = { ...whole };

/** @param {number} height @param {object} more */
function options(height, more) {
  const axis = {
    space: 72,
    stroke: colour("--muted"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1, size: 5 },
    font: "12px system-ui, sans-serif",
  };
  return {
    width: box.clientWidth,
    height,
    tzDate: (/** @type {number} */ ts) => uPlot.tzDate(new Date(ts * 1000), "UTC"),
    cursor: {
      sync: { key: sync.key },
      drag: { x: true, y: false, setScale: false, dist: 6 },
      points: { show: false },
      y: false,
    },
    legend: { show: false },
    ...more,
    axes: [
      { ...axis, values: days, ...(/** @type {any} */ (more).xAxis ?? {}) },
      { ...axis, size: 52, ...(/** @type {any} */ (more).yAxis ?? {}) },
    ],
    hooks: {
      setCursor: [(/** @type {uPlot} */ u) => tell(u.cursor.idx ?? null)],
      setSelect: [
        (/** @type {uPlot} */ u) => {
          if (u.select.width < 6) return;
          zoom(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
          u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        },
      ],
      ready: [
        (/** @type {uPlot} */ u) => {
          let down = 0;
          u.over.addEventListener("mousedown", (event) => (down = event.clientX));
          u.over.addEventListener("click", (event) => {
            if (Math.abs(event.clientX - down) < 5 && typeof u.cursor.idx === "number") open(u.cursor.idx);
          });
          u.over.addEventListener("dblclick", () => zoom(whole.min, whole.max));
        },
      ],
      .../** @type {any} */ (more).hooks,
    },
  };
}

/** @param {number | null} i */
function tell(i) {
  if (i === null || !windows[i]) {
    says.textContent = usual;
    return;
  }
  const w = windows[i];
  const day = w.start.slice(0, 10) + (w.start.slice(11, 16) === "00:00" ? "" : ` ${w.start.slice(11, 16)}`);
  const parts = [day, w.verdict];
  if (w.verdict === "drift" && w.share !== null) parts.push(`${Math.round(w.share * 100)} % of the rows changed`);
  if (w.p_value !== null) parts.push(`p = ${w.p_value.toPrecision(2)}`);
  parts.push(`${w.n_rows.toLocaleString("en")} rows`);
  if (w.n_failed) parts.push(`${w.n_failed.toLocaleString("en")} without a vector`);
  if (w.kinds.length) parts.push(w.kinds.join(", "));
  if (w.mark) parts.push(`marked: ${w.mark}`);
  says.textContent = parts.join(" · ");
}

/** @param {number} i */
function open(i) {
  location.href = `/features/${feature}/windows/${windows[i].start}`;
}

/** @param {number} min @param {number} max */
function zoom(min, max) {
  range = { min: Math.max(min, whole.min), max: Math.min(max, whole.max) };
  if (!(range.max > range.min)) range = { ...whole };
  for (const plot of plots) plot.setScale("x", range);
  const isWhole = range.min <= whole.min && range.max >= whole.max;
  reset.hidden = isWhole;
  links.hidden = isWhole;
  const inside = windows.filter((_, i) => starts[i] >= range.min - 1 && starts[i] < range.max);
  for (const row of document.querySelectorAll("#windows tbody tr")) {
    const start = Date.parse(/** @type {HTMLElement} */ (row).dataset.start ?? "") / 1000;
    row.classList.toggle("out", !isWhole && !(start >= range.min - 1 && start < range.max));
  }
  const address = new URL(location.href);
  if (isWhole || !inside.length) {
    address.searchParams.delete("since");
    address.searchParams.delete("until");
  } else {
    const since = inside[0].start;
    const until = inside[inside.length - 1].end;
    address.searchParams.set("since", since);
    address.searchParams.set("until", until);
    if (mapLink) mapLink.href = `/features/${feature}/map?since=${since}&until=${until}`;
  }
  history.replaceState(null, "", address);
}

function draw() {
  for (const plot of plots) plot.destroy();
  box.replaceChildren();
  const values = windows.map(MEASURES[measure.value]);
  const highest = Math.max(measure.value === "logp" ? 3 : 0.05, ...values.map((v) => v ?? 0)) * 1.12;
  const common = { scales: { x: { time: true, min: range.min, max: range.max, auto: false } } };
  const drift = new uPlot(
    /** @type {any} */ (
      options(216, {
        scales: { ...common.scales, y: { range: [0, highest] } },
        series: [{}, { stroke: colour("--muted"), width: 1.4, points: { show: false }, spanGaps: false }],
        xAxis: { show: false },
        yAxis: {
          values: (/** @type {any} */ _, /** @type {number[]} */ ticks) => ticks.map(shown(measure.value)),
        },
        padding: [12, 22, 8, 0],
        hooks: { drawClear: [bands], draw: [marks] },
      })
    ),
    [middles, values],
    box,
  );
  // Bars from the foot: all rows in grey, and those without a vector in front of them.
  const bars = uPlot.paths.bars?.({ size: [0.72, 40], align: 0 });
  const rows = new uPlot(
    /** @type {any} */ (
      options(116, {
        scales: { ...common.scales, y: { range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ max) => [0, Math.max(1, max) * 1.05] } },
        series: [
          {},
          { fill: colour("--before"), width: 0, paths: bars, points: { show: false } },
          { fill: colour("--drift"), width: 0, paths: bars, points: { show: false } },
        ],
        yAxis: {
          values: (/** @type {any} */ _, /** @type {number[]} */ ticks) =>
            ticks.map((v) => (v >= 1000 ? `${v / 1000}k` : Number.isInteger(v) ? `${v}` : "")),
        },
        padding: [4, 22, 0, 0],
      })
    ),
    [middles, windows.map((w) => w.n_rows), windows.map((w) => w.n_failed)],
    box,
  );
  plots = [drift, rows];
}

draw();
box.dataset.ready = "true";
if (box.dataset.since && location.search.includes("since=")) {
  zoom(Date.parse(box.dataset.since) / 1000, Date.parse(box.dataset.until ?? "") / 1000);
}
measure.addEventListener("change", draw);
reset.addEventListener("click", () => zoom(whole.min, whole.max));
let resizing = 0;
new ResizeObserver(() => {
  clearTimeout(resizing);
  resizing = window.setTimeout(() => plots.forEach((p) => p.setSize({ width: box.clientWidth, height: p.height })), calm ? 0 : 60);
}).observe(box);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

let at = windows.length;
box.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
  if (step || event.key === "Home" || event.key === "End") {
    event.preventDefault();
    at = event.key === "Home" ? 0 : event.key === "End" ? windows.length - 1 : Math.min(Math.max(at + (step ?? 0), 0), windows.length - 1);
    for (const plot of plots) plot.setCursor({ left: plot.valToPos(middles[at], "x"), top: 10 }, true);
    tell(at);
  } else if (event.key === "Enter" && windows[at]) {
    open(at);
  } else if (event.key === "+" || event.key === "-") {
    const middle = windows[at] ? middles[at] : (range.min + range.max) / 2;
    const half = ((range.max - range.min) / 2) * (event.key === "+" ? 0.5 : 2);
    zoom(middle - half, middle + half);
  } else if (event.key === "Escape") {
    zoom(whole.min, whole.max);
  }
});
window.addEventListener("unhandledrejection", (event) => say(String(event.reason?.message ?? event.reason)));
