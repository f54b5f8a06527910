import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  claim,
  defaultHome,
  disclaim,
  hasLabs,
  prepareHome,
  removeLeftovers,
} from "../../../../lab/module/leftovers.ts";
import { allot } from "../../../../lab/runtime/allot.ts";
import { acquireLock } from "../../../../lab/runtime/lock.ts";
import { lockFile, writeState } from "../../../../lab/runtime/state.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";

let base: string;
let home: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "lab-leftovers-"));
  home = join(base, "home");
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

/** A lab whose state is on disk and none of whose nodes runs. */
function writeLab(name: string): void {
  const { topology } = loadTopology("1m", base);
  writeState(home, allot({ home, name, topology, runtime: "process", index: undefined }));
}

function ownedByTheDead(name: string): void {
  writeFileSync(join(home, `${name}.owner.json`), '{"pid":4194303,"started":"never"}');
}

describe("leftovers of the module", () => {
  it("the folder is this user's alone", () => {
    prepareHome(home);
    prepareHome(home);
    expect(statSync(home).mode & 0o777).toBe(0o700);
    expect(defaultHome().startsWith(tmpdir())).toBe(true);
  });

  it("a link somebody else could have put there is refused", () => {
    mkdirSync(join(base, "elsewhere"));
    symlinkSync(join(base, "elsewhere"), home);
    expect(() => prepareHome(home)).toThrow("is not a folder of this user");
  });

  it("labs of live processes stay, those of dead ones go with everything", async () => {
    prepareHome(home);
    for (const name of ["test-live", "test-dead"]) writeLab(name);
    claim(home, "test-live");
    ownedByTheDead("test-dead");
    expect(await removeLeftovers(home)).toEqual(["test-dead"]);
    expect(readdirSync(home).toSorted()).toEqual(["test-live", "test-live.owner.json"]);
    expect(hasLabs(home, process.pid)).toBe(true);
    disclaim(home, "test-live");
    expect(hasLabs(home, process.pid)).toBe(false);
  });

  it("an owner that died before its lab had a state, or while its files were written", async () => {
    prepareHome(home);
    mkdirSync(join(home, "test-early"));
    ownedByTheDead("test-early");
    mkdirSync(join(home, "test-torn"));
    writeFileSync(join(home, "test-torn", "state.json"), '{"schema":"lab.st');
    writeFileSync(join(home, "test-torn.owner.json"), '{"pid":');
    expect((await removeLeftovers(home)).toSorted()).toEqual(["test-early", "test-torn"]);
    expect(readdirSync(home)).toEqual([]);
  });

  it("one that another process is removing right now is left to it", async () => {
    prepareHome(home);
    writeLab("test-dead");
    ownedByTheDead("test-dead");
    using _held = await acquireLock(lockFile(home, "test-dead"), { command: "x", waitMs: 0 });
    expect(await removeLeftovers(home)).toEqual([]);
    expect(existsSync(join(home, "test-dead", "state.json"))).toBe(true);
  });
});
