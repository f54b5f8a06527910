import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { operate, type StoreOperation } from "../../../../lab/stores/operations.ts";

const NEVER = new AbortController().signal;
const HOLE_BYTES = 8 * 1_048_576;

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lab-stores-"));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function fill(folder: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(root, folder, name, ".."), { recursive: true });
    writeFileSync(join(root, folder, name), content);
  }
}

function act(operation: StoreOperation, signal = NEVER) {
  return operate(operation, signal);
}

describe("copy", () => {
  it("copies whole trees, keeps holes, leaves out what is said and who holds the store", async () => {
    const sparse = Buffer.alloc(HOLE_BYTES);
    sparse.write("head", 0);
    sparse.write("tail", HOLE_BYTES - 4);
    fill("from", {
      "store/commitlog/0": sparse,
      "store/lock.owner": "1 2",
      "store/config/topics.json": "{}",
      "node.log": "talk",
    });
    const to = join(root, "to");
    await act({ do: "copy", from: join(root, "from"), to, without: ["node.log"] });
    expect(readdirSync(to, { recursive: true, encoding: "utf8" }).toSorted()).toEqual([
      "store",
      "store/commitlog",
      "store/commitlog/0",
      "store/config",
      "store/config/topics.json",
    ]);
    expect(readFileSync(join(to, "store/commitlog/0")).equals(sparse)).toBe(true);
    const use = await act({ do: "size", folder: to });
    expect(use.value).toBeLessThan(HOLE_BYTES / 8);
    expect(statSync(join(to, "store/commitlog/0")).size).toBe(HOLE_BYTES);
  });

  it("makes its target anew, and takes only what is asked for", async () => {
    fill("from", { "store/a": "1", "other/b": "2" });
    fill("to", { "left/over": "x" });
    const [from, to] = [join(root, "from"), join(root, "to")];
    await act({ do: "copy", from, to, only: ["store"], without: [] });
    expect(readdirSync(to)).toEqual(["store"]);
    expect(await act({ do: "copy", from: join(root, "no"), to, without: [] })).toMatchObject({
      found: false,
    });
  });

  it("stops when told so", async () => {
    fill("from", { "store/a": "1" });
    const operation: StoreOperation = {
      do: "copy",
      from: join(root, "from"),
      to: join(root, "to"),
      without: [],
    };
    await expect(act(operation, AbortSignal.abort())).rejects.toThrow("aborted");
  });
});

describe("replace", () => {
  it("puts a copy that lies inside in the place of everything but what is kept", async () => {
    fill("node", { "store/old": "1", "kv.json": "2", "node.log": "talk" });
    fill("node/.incoming", { "store/new": "3" });
    const operation: StoreOperation = {
      do: "replace",
      from: join(root, "node/.incoming"),
      to: join(root, "node"),
      keep: ["node.log"],
    };
    await act(operation);
    expect(readdirSync(join(root, "node")).toSorted()).toEqual(["node.log", "store"]);
    expect(readdirSync(join(root, "node/store"))).toEqual(["new"]);
  });
});

describe("a replace that was cut short goes on", () => {
  const operation = (): StoreOperation => ({
    do: "replace",
    from: join(root, "node/.incoming"),
    to: join(root, "node"),
    keep: ["node.log"],
  });

  it.each([
    ["before anything", { ".incoming/store/new": "3", ".incoming/kv": "4", "store/old": "1" }],
    [
      "while the old went",
      { ".incoming/store/new": "3", ".incoming/kv": "4", ".incoming.old/store/old": "1" },
    ],
    [
      "while the new came",
      { ".incoming.ready/kv": "4", "store/new": "3", ".incoming.old/store/old": "1" },
    ],
    [
      "when all had come",
      { kv: "4", "store/new": "3", ".incoming.ready/": "", ".incoming.old/x": "1" },
    ],
  ])("%s", async (_name, files) => {
    fill("node", { "node.log": "talk" });
    for (const [name, content] of Object.entries(files)) {
      if (name.endsWith("/")) mkdirSync(join(root, "node", name), { recursive: true });
      else fill("node", { [name]: content });
    }
    for (let again = 0; again < 2; again += 1) await act(operation());
    expect(readdirSync(join(root, "node")).toSorted()).toEqual(["kv", "node.log", "store"]);
    expect(readdirSync(join(root, "node/store"))).toEqual(["new"]);
  });
});

describe("wipe, move, remove", () => {
  it("wipe keeps what is said, and is done when there is nothing", async () => {
    fill("node", { "store/a": "1", "node.log": "talk" });
    await act({ do: "wipe", folder: join(root, "node"), keep: ["node.log"] });
    expect(readdirSync(join(root, "node"))).toEqual(["node.log"]);
    expect(await act({ do: "wipe", folder: join(root, "no"), keep: [] })).toMatchObject({
      found: false,
    });
  });

  it("move and remove do nothing a second time", async () => {
    fill("node", { "store/a": "1" });
    const move: StoreOperation = {
      do: "move",
      from: join(root, "node/store"),
      to: join(root, "node/aside"),
    };
    expect((await act(move)).found).toBe(true);
    expect((await act(move)).found).toBe(false);
    for (let again = 0; again < 2; again += 1)
      await act({ do: "remove", folder: join(root, "node/aside") });
    expect(existsSync(join(root, "node/aside"))).toBe(false);
  });
});
