/**
 * Build the files of `monitor/web/static/vendor` from npm, pinned by package-lock.json.
 *
 *     cd web && npm ci --ignore-scripts && node vendor.mjs
 *
 * Users need none of this: what it writes is committed. Two runs write the same bytes.
 */
import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const target = path.join(here, "..", "monitor", "web", "static", "vendor");
await mkdir(target, { recursive: true });

/** Which packages a bundle is made of, as esbuild saw them. */
const used = new Map();

for (const [entry, name] of [
  ["export { default, createRenderer, checkSupport } from 'regl-scatterplot';", "regl-scatterplot.js"],
  ["export { default } from 'uplot';", "uplot.js"],
]) {
  const { metafile } = await build({
    stdin: { contents: entry, resolveDir: here },
    bundle: true,
    format: "esm",
    minify: true,
    target: "es2020",
    charset: "utf8",
    legalComments: "none",
    metafile: true,
    outfile: path.join(target, name),
  });
  for (const input of Object.keys(metafile.inputs)) {
    const match = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/);
    if (match) used.set(match[1], [...(used.get(match[1]) ?? []), name]);
  }
}
await copyFile(path.join(here, "node_modules/uplot/dist/uPlot.min.css"), path.join(target, "uplot.css"));

/** The licence of a package: its own file, or the text of MIT with what its package.json says. */
async function licence(folder, about) {
  const names = await readdir(folder);
  const own = names.find((name) => /^licen[cs]e/i.test(name));
  if (own) return (await readFile(path.join(folder, own), "utf8")).trim();
  return `${about.license}, as its package.json says; author: ${about.author?.name ?? about.author ?? "not named"}`;
}

// A bundle of a bundle: what regl-scatterplot's own file is made of has licences, too.
for (const name of [...used.keys()]) {
  const files = used.get(name);
  const queue = [name];
  while (queue.length) {
    const about = JSON.parse(await readFile(path.join(here, "node_modules", queue.shift(), "package.json"), "utf8"));
    for (const dependency of Object.keys(about.dependencies ?? {})) {
      if (used.has(dependency)) continue;
      used.set(dependency, files);
      queue.push(dependency);
    }
  }
}

// Built into regl-scatterplot's own file, though its package.json names it among no dependencies of users.
used.set("kdbush", ["regl-scatterplot.js"]);

const parts = [];
for (const name of [...used.keys()].sort()) {
  const folder = path.join(here, "node_modules", name);
  const about = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
  const files = [...new Set(used.get(name))].join(", ");
  parts.push(`${name} ${about.version}, in ${files}\n\n${await licence(folder, about)}\n`);
}
await writeFile(path.join(target, "LICENSES.txt"), parts.join(`\n${"-".repeat(80)}\n\n`));
