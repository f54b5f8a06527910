import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeVfs } from "../../../../engine/base/node-vfs.ts";
import { readStateFile, writeStateFile } from "../../../../engine/base/state-file.ts";
import type { Vfs } from "../../../../engine/base/vfs.ts";

let folder = "";
let path = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lab-state-file-"));
  path = join(folder, "config", "topics.json");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A disk that takes so many writes, and of the next one only its first bytes. */
function fullAfter(writes: number): Vfs {
  let left = writes;
  return {
    ...nodeVfs,
    open: (name, mode) => {
      const file = nodeVfs.open(name, mode);
      const write: typeof file.write = (buffer, start, length, position) => {
        left -= 1;
        if (left >= 0) return file.write(buffer, start, length, position);
        file.write(buffer, start, 3, position);
        throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
      };
      return {
        path: file.path,
        read: (...given) => file.read(...given),
        readAsync: (...given) => file.readAsync(...given),
        write,
        datasync: () => file.datasync(),
        datasyncSync: () => file.datasyncSync(),
        truncate: (size) => file.truncate(size),
        size: () => file.size(),
        close: () => file.close(),
      };
    },
  };
}

describe("state files on a full disk", () => {
  it.each([0, 1])(
    "a first write that stops after %i files leaves nothing or all of it",
    (writes) => {
      expect(() => writeStateFile(fullAfter(writes), path, '{"a":1}')).toThrow(/ENOSPC/);
      expect(readStateFile(nodeVfs, path)).toBe(writes === 0 ? null : '{"a":1}');
      writeStateFile(nodeVfs, path, '{"a":2}');
      expect(readStateFile(nodeVfs, path)).toBe('{"a":2}');
    },
  );

  it.each([0, 1])("a later write that stops after %i files leaves what was there", (writes) => {
    writeStateFile(nodeVfs, path, '{"a":1}');
    expect(() => writeStateFile(fullAfter(writes), path, '{"a":2}')).toThrow(/ENOSPC/);
    expect(readStateFile(nodeVfs, path)).toBe('{"a":1}');
  });

  it("what was whole once and is damaged is refused, never taken for nothing", () => {
    writeStateFile(nodeVfs, path, '{"a":1}');
    writeFileSync(path, '{"a"');
    expect(() => readStateFile(nodeVfs, path)).toThrow(
      expect.objectContaining({ code: "STORE_LAYOUT_INVALID" }),
    );
    rmSync(path);
    writeFileSync(`${path}.tmp`, '{"a"');
    expect(() => readStateFile(nodeVfs, path)).toThrow(/damaged/);
  });
});
