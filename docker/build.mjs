// Bundles the command-line programs: `node docker/build.mjs [--if-stale]`.
// One file a program: a bundle starts in two thirds of the time of its modules (engine-performance 8).
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const out = join(root, "dist");
const entries = {
  mqnamesrv: "engine/namesrv/main.ts",
  mqbroker: "engine/broker/main.ts",
  lab: "lab/cli/bin.ts",
  module: "lab/module/rocketmq-lab.ts",
  reaper: "lab/module/reaper.ts",
  dashboard: "lab/dashboard/server/main.ts",
  health: "docker/health.ts",
  probe: "docker/probe.ts",
  "store-tool": "docker/store-tool.ts",
  "fault-agent": "lab/faults/agent/main.ts",
  clock: "lab/faults/clock/preload.ts",
};
// See left-out.mjs.
const leftOut = ["ssh2", "@grpc/grpc-js", "@grpc/proto-loader", "protobufjs"];
const web = join(root, "lab/dashboard/web");

function newestBelow(directory) {
  let newest = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    const time = entry.isDirectory() ? newestBelow(path) : statSync(path).mtimeMs;
    newest = Math.max(newest, time);
  }
  return newest;
}

function isFresh() {
  const built = join(out, "lab.mjs");
  if (!existsSync(built)) return false;
  const sources = [join(root, "engine"), join(root, "lab")].map(newestBelow);
  const settings = ["package-lock.json", "docker/build.mjs"].map(
    (name) => statSync(join(root, name)).mtimeMs,
  );
  return statSync(built).mtimeMs >= Math.max(...sources, ...settings);
}

async function bundle() {
  const { build } = await import("esbuild");
  const present = Object.entries(entries).filter(([, file]) => existsSync(join(root, file)));
  await build({
    entryPoints: Object.fromEntries(present.map(([name, file]) => [name, join(root, file)])),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    target: "node20.19",
    format: "esm",
    // Packages written in CommonJS ask for these at run time.
    banner: {
      js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
    },
    alias: Object.fromEntries(leftOut.map((name) => [name, join(root, "docker/left-out.mjs")])),
    logLevel: "warning",
  });
}

// The module's declaration: made from its one public file, which therefore may name no type of another.
function declareModule() {
  const made = mkdtempSync(join(tmpdir(), "lab-declaration-"));
  try {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const project = ["-p", join(root, "lab/module/tsconfig.json"), "--outDir", made];
    // A type error elsewhere is told by `npm run check`; the declaration is made all the same.
    const { stdout } = spawnSync(process.execPath, [tsc, ...project], { cwd: root });
    const file = join(made, "lab/module/rocketmq-lab.d.ts");
    if (!existsSync(file))
      throw new Error(`no declaration of the module was made: ${stdout.toString()}`);
    if (/\bfrom "/.test(readFileSync(file, "utf8"))) {
      throw new Error(
        "the module's declaration imports; see the head of lab/module/rocketmq-lab.ts",
      );
    }
    copyFileSync(file, join(out, "module.d.ts"));
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

async function buildWeb() {
  if (!existsSync(join(web, "index.html"))) return;
  const { build } = await import("vite");
  const { default: preact } = await import("@preact/preset-vite");
  await build({
    root: web,
    configFile: false,
    plugins: [preact()],
    logLevel: "warn",
    build: { outDir: join(out, "web"), emptyOutDir: true },
  });
}

if (!process.argv.includes("--if-stale") || !isFresh()) {
  const started = Date.now();
  await buildWeb();
  await bundle();
  declareModule();
  process.stderr.write(`built dist/ in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}
