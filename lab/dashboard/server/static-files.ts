import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";

/** One built file of the page, in memory. */
export interface StaticFile {
  readonly body: Buffer;
  readonly type: string;
  /** Names with a content hash never change; index.html always may. */
  readonly cacheControl: string;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * Reads the built page once into a fixed map of URL paths: no path of a request ever reaches the file system.
 * @param directory `dist/web`
 * @returns URL path → file; empty when the page was not built
 */
export function loadStaticFiles(directory: string): ReadonlyMap<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  if (!existsSync(directory)) return files;
  const add = (url: string, path: string, cacheControl: string): void => {
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    files.set(url, { body: readFileSync(path), type, cacheControl });
  };
  add("/", join(directory, "index.html"), "no-store");
  const assets = join(directory, "assets");
  for (const name of existsSync(assets) ? readdirSync(assets) : []) {
    add(`/assets/${name}`, join(assets, name), "public, max-age=31536000, immutable");
  }
  return files;
}
