// @ts-check
/** What the map's points are coloured by: categories, with a colour for each. */
import { ask } from "./ask.js";

/** Okabe and Ito's colours (2008), without black; then the same again, lighter and darker. */
const OKABE = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#8c6bb1"];
const VIRIDIS = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];
export const GREY = "#8b919c";
export const DRIFT = "#d55e00";

/** @typedef {{ names: string[], values: ArrayLike<number>, colours: string[] }} Codes */

/** A colour for the category of this number. @param {unknown} _ @param {number} i @returns {string} */
function palette(_, i) {
  const hex = OKABE[i % OKABE.length];
  const turn = Math.floor(i / OKABE.length);
  if (!turn) return hex;
  const mix = turn % 2 ? 255 : 0;
  const part = Math.min(0.6, 0.3 + 0.12 * Math.floor(turn / 2));
  const channel = (/** @type {number} */ at) => Math.round(parseInt(hex.slice(at, at + 2), 16) * (1 - part) + mix * part);
  return `#${[1, 3, 5].map((at) => channel(at).toString(16).padStart(2, "0")).join("")}`;
}

/** @param {string} start */
const short = (start) => start.slice(0, 16).replace("T00:00", "").replace("T", " ");

/**
 * Which categories the points are of, and what stands for each.
 * @param {string} choice side, cluster, novelty, window or column:NAME
 * @param {any} about what the API says of the map
 * @param {(path: string, more?: Record<string, any>) => Promise<ArrayBuffer>} numbers
 * @param {(more?: Record<string, any>) => URLSearchParams} parameters
 * @param {string} base
 * @returns {Promise<Codes>}
 */
export async function codesOf(choice, about, numbers, parameters, base) {
  if (choice === "side") {
    return { names: ["baseline", "window"], values: new Uint16Array(await numbers("points/side")), colours: [GREY, DRIFT] };
  }
  if (choice === "cluster") {
    return { names: about.clusters, values: new Uint16Array(await numbers("points/cluster")), colours: about.clusters.map(palette) };
  }
  if (choice === "novelty") {
    const values = new Uint16Array(await numbers("points/novelty"));
    const steps = Uint8Array.from(values, (value) => Math.min(7, Math.floor(value / 200)));
    const names = VIRIDIS.map((_, i) => (i === 7 ? "1.4 and more" : `${(i * 0.2).toFixed(1)} to ${((i + 1) * 0.2).toFixed(1)}`));
    return { names, values: steps, colours: VIRIDIS };
  }
  if (choice === "window") {
    const values = new Uint16Array(await numbers("points/window"));
    const names = ["baseline", ...about.windows.map((/** @type {any} */ w) => short(w.start))];
    const last = Math.max(1, about.windows.length - 1);
    const colours = [GREY, ...about.windows.map((/** @type {any} */ _, /** @type {number} */ i) => VIRIDIS[Math.round((i / last) * 6)])];
    return { names, values, colours };
  }
  const column = choice.slice("column:".length);
  const [codes, values] = await Promise.all([ask(`${base}/map/codes?${parameters({ column })}`), numbers("values", { column })]);
  const { names } = await codes.json();
  return { names, values: new Uint8Array(values), colours: names.map(palette) };
}
