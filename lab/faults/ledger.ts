/**
 * The faults of a lab on disk: `.lab/NAME/faults.json`. A fault is written down before anything is done, so whatever a killed command leaves
 * behind is known to the next one. Replaced as a whole; whoever changes it holds the lab's lock.
 */
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { EngineError } from "../../engine/base/engine-error.ts";
import { writeAtomically } from "../runtime/atomic-file.ts";
import { recordSchema, type FaultRecord } from "./fault.ts";

const ledgerSchema = z.object({
  schema: z.literal("lab.faults/1"),
  /** Number of the next fault; never used twice. */
  next: z.int().positive(),
  faults: z.array(recordSchema),
});

type LedgerFile = z.infer<typeof ledgerSchema>;

/** So many healed faults stay readable, the newest. */
const HEALED_KEPT = 50;

/** See the file's head. */
export class FaultLedger {
  private readonly path: string;

  /** @param stateDir folder of the lab */
  constructor(stateDir: string) {
    this.path = join(stateDir, "faults.json");
  }

  private read(): LedgerFile {
    if (!existsSync(this.path)) return { schema: "lab.faults/1", next: 1, faults: [] };
    try {
      return ledgerSchema.parse(JSON.parse(readFileSync(this.path, "utf8")));
    } catch (cause) {
      throw new EngineError("LAB_STATE_CORRUPT", {
        message: `${this.path} is damaged: ${cause instanceof Error ? cause.message : String(cause)}`,
        hint: "`lab down` ends every fault with its container and sets the file aside; then `lab up`",
        cause,
      });
    }
  }

  private write(file: LedgerFile): void {
    const open = file.faults.filter((fault) => fault.state !== "healed");
    const healed = file.faults.filter((fault) => fault.state === "healed").slice(-HEALED_KEPT);
    const kept = new Set([...open, ...healed]);
    const faults = file.faults.filter((fault) => kept.has(fault));
    writeAtomically(this.path, `${JSON.stringify({ ...file, faults }, null, 2)}\n`);
  }

  /** @returns every fault the file knows, oldest first */
  all(): readonly FaultRecord[] {
    return this.read().faults;
  }

  /** @returns those that are not healed, oldest first */
  open(): readonly FaultRecord[] {
    return this.all().filter((fault) => fault.state !== "healed");
  }

  /** The same of a lab that was brought down; null: the file cannot be read and was set aside. */
  openOrSetAside(): readonly FaultRecord[] | null {
    try {
      return this.open();
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      renameSync(this.path, `${this.path}.damaged`);
      return null;
    }
  }

  /** @returns id of the next fault: `f1`, `f2`, … */
  nextId(): string {
    return `f${this.read().next}`;
  }

  /** Writes a new fault down; its id is that of `nextId`. */
  add(record: FaultRecord): void {
    const file = this.read();
    this.write({ ...file, next: file.next + 1, faults: [...file.faults, record] });
  }

  /** Replaces an entry. @returns the entry */
  put(record: FaultRecord): FaultRecord {
    const file = this.read();
    const faults = file.faults.map((fault) => (fault.id === record.id ? record : fault));
    this.write({ ...file, faults });
    return record;
  }
}
