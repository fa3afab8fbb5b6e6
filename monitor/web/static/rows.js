// @ts-check
/** Rows of the map as a gallery, as a table, and what sets them apart. */

const gallery = /** @type {HTMLElement} */ (document.getElementById("gallery"));
const table = /** @type {HTMLElement} */ (document.getElementById("rows"));
const fold = /** @type {HTMLElement} */ (document.getElementById("rows-fold"));

/** @param {number} share */
export const percent = (share) => `${share < 0.1 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`;

/** Show these rows. @param {any[]} rows @param {string[]} columns */
export function fill(rows, columns) {
  gallery.replaceChildren(...rows.map(tile));
  const shown = columns.slice(0, 8);
  const head = document.createElement("tr");
  for (const name of ["row", "side", "cluster", ...shown]) {
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
    for (const value of [row.source ?? row.row, row.window ? "window" : "baseline", row.cluster, ...shown.map((c) => row.columns[c] ?? "")]) {
      const cell = document.createElement("td");
      cell.textContent = String(value);
      cell.title = String(value);
      line.append(cell);
    }
    body.append(line);
  }
  table.replaceChildren(top, body);
  fold.hidden = !rows.length;
}

/** @param {any} row */
function tile(row) {
  const item = document.createElement("li");
  const name = (row.source ?? row.row).split("/").pop();
  const similar = row.similarity === null ? "" : `similarity ${row.similarity.toFixed(3)}`;
  const what = [row.source ?? `row ${row.row}`, row.window ? "window" : "baseline", similar].filter(Boolean).join(", ");
  if (!row.picture) {
    const empty = document.createElement("span");
    empty.className = "tile none";
    empty.title = what;
    empty.textContent = name;
    item.append(empty);
    return item;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = `tile${row.window ? " is-window" : ""}`;
  Object.assign(button.dataset, { picture: row.picture, label: what, when: row.time ?? "", point: row.point });
  if (row.link) button.dataset.href = row.link;
  const image = document.createElement("img");
  image.src = `/thumb/${row.picture}`;
  image.alt = name;
  image.loading = "lazy";
  button.append(image);
  item.append(button);
  return item;
}

/** What selected rows have more often than others; a click selects all of the kind. @param {any} t @param {() => void} onClick */
export function trait(t, onClick) {
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
  line.addEventListener("click", onClick);
  return line;
}
