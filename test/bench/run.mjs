// Runs one TypeScript file with Node: `node test/bench/run.mjs test/bench/NAME.ts [args]`. It is bundled to a temporary file first.
import { build } from "esbuild";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write("usage: node test/bench/run.mjs FILE.ts [args]\n");
  process.exit(2);
}
// A bundle has one import.meta.url; each source shall keep its own.
const keepOwnUrls = {
  name: "keep-own-urls",
  setup(builder) {
    builder.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replaceAll(
        "import.meta.url",
        JSON.stringify(`file://${path}`),
      ),
      loader: "ts",
    }));
  },
};

const directory = mkdtempSync(join(tmpdir(), "lab-run-"));
const outfile = join(directory, "main.mjs");
await build({
  entryPoints: [resolve(file)],
  outfile,
  bundle: true,
  platform: "node",
  target: "node20.19",
  format: "esm",
  packages: "external",
  plugins: [keepOwnUrls],
  nodePaths: [resolve("node_modules")],
});
const child = spawn(process.execPath, [...process.execArgv, outfile, ...args], {
  stdio: "inherit",
});
const forward = (signal) => child.kill(signal);
process.on("SIGINT", () => forward("SIGINT"));
process.on("SIGTERM", () => forward("SIGTERM"));
child.on("close", (code) => {
  rmSync(directory, { recursive: true, force: true });
  process.exitCode = code ?? 1;
});
