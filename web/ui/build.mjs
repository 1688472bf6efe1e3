// Bundles src into dist under names that carry a hash of their content, and
// writes dist/manifest.json, which maps plain names to those. The pages are
// served by Go; what they may cache for ever is told by the hash.
import { build } from "esbuild";
import { readdir, rm, writeFile } from "node:fs/promises";
import { basename, extname } from "node:path";

const dist = "dist";
for (const name of await readdir(dist)) {
  if (name !== "README") await rm(`${dist}/${name}`, { recursive: true });
}

const common = {
  bundle: true,
  minify: true,
  metafile: true,
  outdir: dist,
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  loader: { ".woff2": "file", ".svg": "copy" },
  target: ["chrome123", "firefox121", "safari17.5"],
  logLevel: "warning",
  legalComments: "none",
};
const built = [
  // Runs before the first paint, so it cannot be a module.
  await build({ ...common, entryPoints: ["src/theme.ts"], format: "iife" }),
  // What several pages need, and what is loaded later, gets files of its own.
  await build({ ...common, entryPoints: ["src/home.ts", "src/lab.ts", "src/course.ts", "src/gallery.ts", "src/site.css", "src/icon.svg"], format: "esm", splitting: true }),
];

const manifest = {};
for (const { metafile } of built) {
  for (const [out, { entryPoint }] of Object.entries(metafile.outputs)) {
    const name = basename(out);
    if (entryPoint) {
      manifest[basename(entryPoint, extname(entryPoint)) + extname(out)] = name;
    } else if (extname(out) === ".woff2") {
      manifest[name.replace(/-[A-Z0-9]{8}(\.woff2)$/, "$1")] = name;
    } else if (!name.startsWith("chunk-")) {
      throw new Error(`${name} belongs to no entry point`);
    }
  }
}
await writeFile(`${dist}/manifest.json`, JSON.stringify(manifest, null, 2) + "\n");
