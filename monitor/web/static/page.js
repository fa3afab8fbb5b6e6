// @ts-check
/** What every page does: pictures in full, acts, keys, links to copy. */
import { ask, say } from "./ask.js";

/** @param {string} selector @returns {HTMLElement | null} */
const element = (selector) => document.querySelector(selector);
/** @param {string} selector @returns {HTMLElement[]} */
const elements = (selector) => [...document.querySelectorAll(selector)].map((e) => /** @type {HTMLElement} */ (e));

/* Pictures: a small one that fails tells why; a click shows the whole one. */

/** @param {HTMLElement} tile */
function explain(tile) {
  tile.classList.add("failed");
  const label = document.createElement("span");
  label.textContent = "no picture";
  tile.append(label);
}

document.addEventListener(
  "error",
  (event) => {
    const image = event.target;
    if (!(image instanceof HTMLImageElement)) return;
    const tile = image.closest(".tile");
    if (tile instanceof HTMLElement && !tile.classList.contains("failed")) explain(tile);
  },
  true,
);
// Those that failed before this script ran.
for (const image of document.querySelectorAll(".tile img")) {
  const picture = /** @type {HTMLImageElement} */ (image);
  if (picture.complete && picture.naturalWidth === 0 && picture.loading !== "lazy") {
    const tile = picture.closest(".tile");
    if (tile instanceof HTMLElement) explain(tile);
  }
}

const viewer = /** @type {HTMLDialogElement | null} */ (element("#viewer"));
/** @type {HTMLElement[]} */
let shelf = [];
let at = 0;

/** @param {HTMLElement} tile */
function view(tile) {
  if (!viewer) return;
  shelf = [...(tile.closest(".tiles")?.querySelectorAll(".tile[data-picture]") ?? [])].map(
    (e) => /** @type {HTMLElement} */ (e),
  );
  at = Math.max(0, shelf.indexOf(tile));
  draw();
  viewer.showModal();
}

function draw() {
  const tile = shelf[at];
  if (!viewer || !tile) return;
  const figure = document.createElement("figure");
  const image = document.createElement("img");
  image.src = `/image/${tile.dataset.picture}`;
  image.alt = tile.dataset.label ?? "";
  const caption = document.createElement("figcaption");
  image.addEventListener("error", async () => {
    const answer = await fetch(image.src);
    if (!answer.ok) caption.prepend(`No picture: ${(await answer.json()).detail} `);
  });
  caption.append([tile.dataset.label, tile.dataset.when].filter(Boolean).join(" · "), ` (${at + 1} of ${shelf.length}) `);
  if (tile.dataset.href) {
    const link = document.createElement("a");
    link.href = tile.dataset.href;
    link.rel = "noopener noreferrer nofollow";
    link.target = "_blank";
    link.textContent = "its address";
    caption.append(link);
  }
  const row = document.createElement("div");
  row.className = "row";
  for (const [text, step] of /** @type {[string, number][]} */ ([["← Before", -1], ["Next →", 1]])) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = text;
    button.disabled = !shelf[at + step];
    button.addEventListener("click", () => move(step));
    row.append(button);
  }
  const { alike } = document.body.dataset;
  if (!tile.dataset.point && alike) {
    const like = document.createElement("a");
    like.className = "button";
    like.textContent = "More like this";
    like.href = `${alike}&picture=${tile.dataset.picture}`;
    row.append(like);
  }
  if (tile.dataset.point) {
    const like = document.createElement("button");
    like.type = "button";
    like.className = "button";
    like.textContent = "More like this";
    like.addEventListener("click", () => {
      viewer.close();
      document.dispatchEvent(new CustomEvent("more-like", { detail: Number(tile.dataset.point) }));
    });
    row.append(like);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.className = "button";
  close.textContent = "Close";
  close.addEventListener("click", () => viewer.close());
  row.append(close);
  figure.append(image, caption, row);
  viewer.replaceChildren(figure);
}

/** @param {number} step */
function move(step) {
  if (!shelf[at + step]) return;
  at += step;
  draw();
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const tile = target?.closest(".tile[data-picture]");
  if (tile instanceof HTMLElement) view(tile);
  if (viewer?.open && target === viewer) viewer.close();
  const size = target?.closest("[data-size]");
  if (size instanceof HTMLElement) choose(size);
  if (target?.closest("[data-copy]")) copy();
});

/* Sizes of pictures, remembered in this browser. */

/** @param {HTMLElement} button */
function choose(button) {
  for (const other of button.parentElement?.querySelectorAll("[data-size]") ?? []) {
    other.setAttribute("aria-checked", String(other === button));
    /** @type {HTMLElement} */ (other).tabIndex = other === button ? 0 : -1;
  }
  document.body.dataset.tiles = button.dataset.size;
  try {
    localStorage.setItem("tiles", button.dataset.size ?? "M");
  } catch {
    // A browser that keeps nothing starts at M each time.
  }
}
for (const group of elements(".sizes")) {
  let kept = null;
  try {
    kept = localStorage.getItem("tiles");
  } catch {
    kept = null;
  }
  const start = group.querySelector(kept ? `[data-size="${CSS.escape(kept)}"]` : '[aria-checked="true"]');
  if (start instanceof HTMLElement) choose(start);
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const buttons = [...group.querySelectorAll("[data-size]")].map((e) => /** @type {HTMLElement} */ (e));
    const now = buttons.findIndex((b) => b.getAttribute("aria-checked") === "true");
    const next = buttons[(now + step + buttons.length) % buttons.length];
    choose(next);
    next.focus();
  });
}

async function copy() {
  try {
    await navigator.clipboard.writeText(location.href);
    say("The link to this view is copied");
  } catch {
    say(location.href);
  }
}

/* Acts. */

for (const form of elements("form.act")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { act, alert, feature, start, end, confirm: question } = form.dataset;
    if (question && !window.confirm(question)) return;
    const fields = new FormData(/** @type {HTMLFormElement} */ (form));
    const note = String(fields.get("note") ?? "");
    // A window, or all windows of its episode.
    const of = /** @type {HTMLSelectElement | null} */ (form.querySelector("select[name=of]"));
    const span = of?.value === "episode" ? of.dataset : { start, end };
    const body =
      act === "acknowledge"
        ? { alert_key: alert, note }
        : { feature: Number(feature), window_start: span.start, window_end: span.end, note, ...(act === "mark" ? { mark: fields.get("mark") } : {}) };
    const button = form.querySelector("button");
    if (button) button.disabled = true;
    try {
      await ask(`/api/acts/${act}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      location.reload();
    } catch (error) {
      say(String(error instanceof Error ? error.message : error));
      if (button) button.disabled = false;
    }
  });
}

/* Clusters in another order. */

const order = /** @type {HTMLSelectElement | null} */ (element("#order"));
const clusters = element("#clusters");
order?.addEventListener("change", () => {
  if (!clusters) return;
  const key = order.value;
  const items = [...clusters.children].map((e) => /** @type {HTMLElement} */ (e));
  items.sort((a, b) => Number(b.dataset[key]) - Number(a.dataset[key]));
  items.forEach((item, i) => item.classList.toggle("later", i >= 6));
  clusters.append(...items);
});
element("#all-clusters")?.addEventListener("click", (event) => {
  clusters?.classList.add("all");
  if (event.currentTarget instanceof HTMLElement) event.currentTarget.remove();
});

/* Keys. */

let waiting = "";
document.addEventListener("keydown", (event) => {
  const target = event.target instanceof HTMLElement ? event.target : null;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (viewer?.open) {
    if (event.key === "ArrowLeft") move(-1);
    if (event.key === "ArrowRight") move(1);
    return;
  }
  if (target?.closest("input:not([type=radio]), select, textarea, dialog")) return;
  const was = waiting;
  waiting = event.key === "g" ? "g" : "";
  const nav = elements(".top nav a").map((a) => a.getAttribute("href") ?? "");
  if (was === "g" && event.key === "o") location.href = "/";
  if (was === "g" && event.key === "t" && nav[1]) location.href = nav[1];
  if (was === "g" && event.key === "m" && nav[2]) location.href = nav[2];
  if (event.key === "?") /** @type {HTMLDialogElement | null} */ (element("#keys"))?.showModal();
  if (target?.closest("#timeline, .scroll, [role=radiogroup], .pill")) return;
  if (event.key === "ArrowLeft") element("#before")?.click();
  if (event.key === "ArrowRight") element("#after")?.click();
});

if (element("#timeline")) import("./timeline.js");
