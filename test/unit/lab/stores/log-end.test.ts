import { appendFileSync, mkdtempSync, openSync, closeSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compareLogs, readLog } from "../../../../lab/stores/log-end.ts";
import { FILE_BYTES, RECORD_BYTES, writeLog } from "../../../helpers/commit-log.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lab-log-"));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const store = (name: string): string => join(root, name);
const log = (name: string): string => join(root, name, "commitlog");

describe("the end of a log that nobody writes", () => {
  it("no log, an empty file, records in one file, records in several", async () => {
    expect(await readLog(log("none"))).toEqual({ start: 0, end: 0, recordsSince: 0 });
    writeLog(store("empty"), []);
    expect((await readLog(log("empty"))).end).toBe(0);
    writeLog(store("one"), [1, 2, 3]);
    expect((await readLog(log("one"))).end).toBe(3 * RECORD_BYTES);
    const end = writeLog(store("many"), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(end).toBe(2 * FILE_BYTES + RECORD_BYTES);
    expect((await readLog(log("many"))).end).toBe(end);
  });

  it("a file that is full to its blank ends where the next one begins, and one made ahead changes nothing", async () => {
    writeLog(store("a"), [1, 2, 3, 4, 5, 6]);
    rmSync(join(log("a"), String(FILE_BYTES).padStart(20, "0")));
    expect((await readLog(log("a"))).end).toBe(FILE_BYTES);
    writeLog(store("b"), [1, 2, 3]);
    writeLog(store("b"), [], FILE_BYTES);
    expect((await readLog(log("b"))).end).toBe(3 * RECORD_BYTES);
  });

  it("a log whose old files are deleted begins where its oldest one does", async () => {
    const start = 7 * FILE_BYTES;
    writeLog(store("a"), [1, 2], start);
    expect(await readLog(log("a"))).toMatchObject({ start, end: start + 2 * RECORD_BYTES });
  });

  it("bytes behind the end that carry another position are not the log", async () => {
    const end = writeLog(store("a"), [1, 2, 3]);
    const file = openSync(join(log("a"), "0".repeat(20)), "r+");
    const stale = Buffer.alloc(RECORD_BYTES);
    writeLog(store("b"), [9]);
    stale.writeInt32BE(RECORD_BYTES, 0);
    stale.writeInt32BE(0xdaa320a7 | 0, 4);
    writeSync(file, stale, 0, stale.length, end);
    closeSync(file);
    expect((await readLog(log("a"))).end).toBe(end);
  });

  it("counts the records from an offset on, over files", async () => {
    writeLog(store("a"), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    const count = async (since: number) => (await readLog(log("a"), since)).recordsSince;
    expect(await count(0)).toBe(11);
    expect(await count(4 * RECORD_BYTES)).toBe(7);
    expect(await count(FILE_BYTES)).toBe(6);
    expect(await count(2 * FILE_BYTES)).toBe(1);
  });

  it("files of other names are not part of it", async () => {
    writeLog(store("a"), [1]);
    appendFileSync(join(log("a"), "notes.txt"), "hello");
    expect((await readLog(log("a"))).end).toBe(RECORD_BYTES);
  });
});

describe("two logs side by side", () => {
  it.each([
    ["equal", [1, 2, 3], [1, 2, 3], true],
    ["one is shorter", [1, 2], [1, 2, 3], true],
    ["one went another way at the same length", [1, 2, 3], [1, 2, 4], false],
    ["one went another way and on", [1, 2, 3], [1, 9, 9, 9, 9, 9, 9], false],
    ["one is empty", [], [1], true],
  ])("%s", async (_name, own, other, same) => {
    const [end, otherEnd] = [writeLog(store("a"), own), writeLog(store("b"), other)];
    expect(await compareLogs(log("a"), log("b"))).toEqual({ end, otherEnd, same });
  });
});
