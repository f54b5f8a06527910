/** Exactly the files `docker/engine.Dockerfile` copies, and a hash that names them. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { EngineError } from "../../../engine/base/engine-error.ts";

export const DOCKERFILE = "docker/engine.Dockerfile";
const PROGRAMS = ["mqnamesrv", "mqbroker", "dashboard", "health", "probe", "store-tool", "clock"];
/** Length of the hash in an image's tag, hexadecimal digits. */
const HASH_LENGTH = 12;

/** One file of the context. */
export interface ContextFile {
  /** With forward slashes, relative to the context. */
  readonly path: string;
  readonly content: Buffer;
  readonly executable: boolean;
}

/** What is sent to the engine. */
export interface BuildContext {
  /** Changes when any file changes. */
  readonly hash: string;
  readonly files: readonly ContextFile[];
  /** A tar of the files. */
  stream(): Readable;
}

function filesBelow(root: string, folder: string): readonly string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(root, path) : [path];
    });
}

function programPaths(root: string): readonly string[] {
  const paths = PROGRAMS.map((name) => `dist/${name}.mjs`);
  const missing = [...paths, "dist/web"].filter((path) => !existsSync(join(root, path)));
  if (missing.length === 0) return paths;
  throw new EngineError("LAB_NOT_BUILT", {
    message: `the image cannot be made: ${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not there`,
    hint: "run `npm run build`, then the command again",
  });
}

function readFile(root: string, path: string): ContextFile {
  const content = readFileSync(join(root, path));
  // A checkout on Windows has no execute bit, so the folder says it.
  const executable =
    path.startsWith("docker/bin/") || (statSync(join(root, path)).mode & 0o100) !== 0;
  return { path, content, executable };
}

function hashOf(files: readonly ContextFile[]): string {
  const hash = createHash("sha256");
  for (const { path, content, executable } of files) {
    hash.update(`${path}\0${executable ? "x" : "-"}${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, HASH_LENGTH);
}

/**
 * @param root folder of the installation
 * @throws EngineError LAB_NOT_BUILT
 */
export function readBuildContext(root: string): BuildContext {
  const paths = [
    DOCKERFILE,
    ...filesBelow(root, "docker/bin"),
    ...filesBelow(root, "docker/data"),
    ...programPaths(root),
    ...filesBelow(root, "dist/web"),
  ];
  const files = paths.map((path) => readFile(root, path));
  return {
    hash: hashOf(files),
    files,
    stream() {
      const tar = pack();
      for (const { path, content, executable } of files) {
        // A fixed time keeps the builder's cache valid when nothing but times changed.
        const mode = executable ? 0o755 : 0o644;
        tar.entry({ name: path, mode, mtime: new Date(0) }, content);
      }
      tar.finalize();
      return Readable.from(tar);
    },
  };
}
