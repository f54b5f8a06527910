// Runs one TypeScript file with Node: `node test/bench/run.mjs test/bench/NAME.ts [args]`. It is bundled first.
import { build } from "esbuild";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
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

// Inside the project, so that packages are found.
mkdirSync(resolve("test-results"), { recursive: true });
const directory = mkdtempSync(resolve("test-results", "run-"));
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
