// @ts-check
/**
 * Where the points of a side lie closest: outlines of the smallest areas that hold a half, four fifths and 95 % of them
 * (highest density regions; Hyndman, 1996), by marching squares over smoothed counts.
 */

const SIDE = 96;
const HELD = [0.5, 0.8, 0.95];

/**
 * Outlines as the parts of an SVG path, in the map's own coordinates.
 * @param {ArrayLike<number>} xs @param {ArrayLike<number>} ys in [-1, 1]
 * @param {(i: number) => boolean} isMeant
 * @returns {number[][]} each a line x1, y1, x2, y2
 */
export function contours(xs, ys, isMeant) {
  let grid = new Float64Array(SIDE * SIDE);
  let n = 0;
  for (let i = 0; i < xs.length; i++) {
    if (!isMeant(i)) continue;
    n++;
    const column = Math.min(SIDE - 1, Math.floor(((xs[i] + 1) / 2) * SIDE));
    const row = Math.min(SIDE - 1, Math.floor(((ys[i] + 1) / 2) * SIDE));
    grid[row * SIDE + column]++;
  }
  if (n < 20) return [];
  // Three boxes are nearly a Gaussian; fewer points are smoothed more (n^(-1/6), Silverman, 1986).
  const reach = Math.max(1, Math.round(0.1 * SIDE * n ** (-1 / 6)));
  for (let pass = 0; pass < 3; pass++) grid = blurred(blurred(grid, reach, 1), reach, SIDE);
  const rising = Float64Array.from(grid).sort();
  const lines = [];
  for (const held of HELD) {
    let sum = 0;
    let at = rising.length;
    while (at > 0 && sum < held * n) sum += rising[--at];
    if (rising[at] > 0) lines.push(...outline(grid, rising[at]));
  }
  return lines;
}

/** Means over 2 · reach + 1 cells along one axis. @param {Float64Array} grid @param {number} reach @param {number} step */
function blurred(grid, reach, step) {
  const out = new Float64Array(grid.length);
  const width = 2 * reach + 1;
  const other = step === 1 ? SIDE : 1;
  for (let line = 0; line < SIDE; line++) {
    const first = line * other;
    let sum = 0;
    for (let i = -reach; i < SIDE + reach; i++) {
      if (i + reach < SIDE) sum += grid[first + (i + reach) * step] ?? 0;
      if (i - reach - 1 >= 0) sum -= grid[first + (i - reach - 1) * step];
      if (i >= 0 && i < SIDE) out[first + i * step] = sum / width;
    }
  }
  return out;
}

/** The lines between cells above and below a level. @param {Float64Array} grid @param {number} level */
function outline(grid, level) {
  /** @type {number[][]} */
  const lines = [];
  const place = (/** @type {number} */ cell) => ((cell + 0.5) / SIDE) * 2 - 1;
  for (let row = 0; row + 1 < SIDE; row++) {
    for (let column = 0; column + 1 < SIDE; column++) {
      const corners = [
        [column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1],
      ];
      const values = corners.map(([x, y]) => grid[y * SIDE + x] - level);
      /** @type {number[]} */
      const crossed = [];
      for (let k = 0; k < 4; k++) {
        const [here, next] = [values[k], values[(k + 1) % 4]];
        if (here >= 0 === next >= 0) continue;
        const part = here / (here - next);
        const [x1, y1] = corners[k];
        const [x2, y2] = corners[(k + 1) % 4];
        crossed.push(place(x1 + (x2 - x1) * part), place(y1 + (y2 - y1) * part));
      }
      for (let k = 0; k + 3 < crossed.length; k += 4) lines.push(crossed.slice(k, k + 4));
    }
  }
  return lines;
}
