/** The rules of the house as a test (style-examples 6, 7, 38): who may import whom, how long a file may be, what must not be left. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const LINES_MAX = 400;

/** Folder → folders it may import besides itself. The longest matching prefix counts. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "engine/base": [],
  "engine/filter": ["engine/base"],
  "engine/message": ["engine/base"],
  "engine/remoting": ["engine/base"],
  "engine/acl": ["engine/base", "engine/remoting"],
  "engine/store": ["engine/base", "engine/message"],
  "engine/ha": ["engine/base", "engine/store/store-api.ts"],
  "engine/namesrv": ["engine/acl", "engine/base", "engine/remoting"],
  "engine/client": ["engine/acl", "engine/base", "engine/message", "engine/remoting"],
  "engine/admin": [
    "engine/acl",
    "engine/base",
    "engine/message",
    "engine/remoting",
    "engine/client/index.ts",
    "engine/client/client-api.ts",
  ],
  "engine/broker": [
    "engine/acl",
    "engine/base",
    "engine/filter",
    "engine/message",
    "engine/remoting",
    "engine/store",
    "engine/ha",
  ],
  "lab/base": ["engine/base"],
  "lab/topology": ["engine/base", "lab/base"],
  "lab/report": ["engine/base", "lab/base"],
  "lab/apache": ["engine/base", "lab/topology/topology.ts"],
  "lab/stores": ["engine/message/record-layout.ts"],
  "lab/compose": ["engine/base", "lab/apache", "lab/base", "lab/topology"],
  "lab/schemas": ["lab/faults/fault.ts"],
  "lab/settings": [
    "engine/base",
    "engine/broker/broker-config.ts",
    "engine/namesrv/namesrv-config.ts",
    "lab/apache",
    "lab/base",
    "lab/topology",
  ],
  "lab/runtime": [
    "lab/settings",
    "engine/base",
    "engine/admin",
    "engine/client",
    "lab/apache",
    "lab/base",
    "lab/stores",
    "lab/topology",
    "lab/compose",
  ],
  "lab/faults": [
    "engine/base",
    "engine/admin",
    "lab/base",
    "lab/topology",
    "lab/compose",
    "lab/runtime",
  ],
  "lab/module": [
    "engine/base",
    "lab/base",
    "lab/topology",
    "lab/compose",
    "lab/runtime",
    "lab/faults",
  ],
  "lab/bench": [
    "engine/base",
    "engine/client",
    "engine/admin",
    "lab/base",
    "lab/topology",
    "lab/runtime",
    "lab/report",
  ],
  "lab/dashboard/api.ts": [],
  "lab/dashboard/server": [
    "engine/base",
    "engine/admin",
    "lab/base",
    "lab/dashboard/api.ts",
    "lab/report",
    "lab/runtime/runtime.ts",
    "lab/topology/topology.ts",
  ],
  "lab/dashboard/web": ["lab/dashboard/api.ts"],
  "lab/cli": ["engine/base", "engine/client", "engine/admin", "lab"],
};

/** Files that touch bytes open with a drawing or table of their layout. */
const LAYOUT_FILES = [
  "engine/message/record-layout.ts",
  "engine/store/consume-queue.ts",
  "engine/store/index-file.ts",
  "engine/store/checkpoint.ts",
  "engine/ha/transfer-header.ts",
  "engine/remoting/frame.ts",
  "engine/remoting/header-binary.ts",
];

const LEFTOVERS = [
  /\bTODO\b/,
  /\bFIXME\b/,
  /\bXXX\b(?!X)/,
  /\bas any\b/,
  /@ts-(ignore|nocheck)/,
  /\bdescribe\.only\b/,
  /\bit\.only\b/,
];

function sourceFiles(directory: string): string[] {
  return readdirSync(join(ROOT, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory()) return sourceFiles(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );
  return specifiers
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => relative(ROOT, resolve(ROOT, dirname(file), specifier)));
}

function ruleFor(file: string): string | undefined {
  return Object.keys(MAY_IMPORT)
    .filter((folder) => file === folder || file.startsWith(`${folder}/`))
    .toSorted((a, b) => b.length - a.length)[0];
}

const files = [...sourceFiles("engine"), ...sourceFiles("lab")];
const tests = sourceFiles("test").filter((file) => !file.endsWith("tidy.test.ts"));

describe("tidy", () => {
  it("sees the sources at all", () => {
    expect(files.length).toBeGreaterThan(100);
    expect(tests.length).toBeGreaterThan(30);
  });

  it("every file's imports stay inside the import table", () => {
    const wrong = files.flatMap((file) => {
      const rule = ruleFor(file);
      if (rule === undefined) return [`${file}: its folder is not in the import table`];
      const allowed = [rule, ...(MAY_IMPORT[rule] ?? [])];
      return importsOf(file)
        .filter(
          (target) =>
            !allowed.some((folder) => target === folder || target.startsWith(`${folder}/`)),
        )
        .map((target) => `${file} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it("engine/client and engine/admin are entered by their index or contract only", () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => /^engine\/(client|admin)\//.test(target))
        .filter(
          (target) => !file.startsWith(`${dirname(target).split("/").slice(0, 2).join("/")}/`),
        )
        .filter(
          (target) => !/^engine\/(client|admin)\/(index|client-api|admin-api)\.ts$/.test(target),
        )
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it("S-01: only engine/base/node-vfs.ts and program entries touch node:fs in the engine; no child_process there", () => {
    const wrong = files
      .filter((file) => file.startsWith("engine/") && file !== "engine/base/node-vfs.ts")
      .filter((file) =>
        /from "node:(fs|fs\/promises|child_process|vm)"/.test(
          readFileSync(join(ROOT, file), "utf8"),
        ),
      );
    expect(wrong).toEqual([]);
  });

  it("B-01: the engine imports nothing but Node and itself", () => {
    const wrong = files
      .filter((file) => file.startsWith("engine/"))
      .flatMap((file) =>
        [...readFileSync(join(ROOT, file), "utf8").matchAll(/from "([^".][^"]*)"/g)]
          .map((match) => match[1] ?? "")
          .filter((name) => !name.startsWith("node:"))
          .map((name) => `${file} imports ${name}`),
      );
    expect(wrong).toEqual([]);
  });

  it("no file is longer than 400 lines", () => {
    const long = [...files, ...tests]
      .map((file) => ({
        file,
        lines: readFileSync(join(ROOT, file), "utf8").split("\n").length - 1,
      }))
      .filter(({ lines }) => lines > LINES_MAX);
    expect(long).toEqual([]);
  });

  it("no leftovers", () => {
    const found = [...files, ...tests].flatMap((file) => {
      const text = readFileSync(join(ROOT, file), "utf8");
      return LEFTOVERS.filter((pattern) => pattern.test(text)).map(
        (pattern) => `${file}: ${String(pattern)}`,
      );
    });
    expect(found).toEqual([]);
  });

  it("byte files open with their layout", () => {
    const bare = LAYOUT_FILES.filter(
      (file) =>
        !/^\s*\/\*\*[\s\S]{120,}?\*\//m.test(
          readFileSync(join(ROOT, file), "utf8").slice(0, 4_000),
        ),
    );
    expect(bare).toEqual([]);
  });

  it("no folder or file is called utils", () => {
    expect(
      [...files, ...tests].filter(
        (file) =>
          /(^|\/)(utils?|helpers?)(\.ts|\/)/.test(file) && !file.startsWith("test/helpers/"),
      ),
    ).toEqual([]);
  });
});
