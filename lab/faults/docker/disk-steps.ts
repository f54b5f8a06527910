/** Faults of nodes' own disks (`lab up --disk`): full ones. */
import type { Seen } from "../actor.ts";
import type { DiskAnswer } from "../agent/protocol.ts";
import type { StepOf } from "../fault.ts";
import type { VolumeWork } from "./volume-work.ts";

const MIB = 1_048_576;

function roomText({ freeBytes, totalBytes }: DiskAnswer): string {
  const free = freeBytes < MIB ? `${freeBytes} B` : `${(freeBytes / MIB).toFixed(1)} MiB`;
  return `${free} of ${(totalBytes / MIB).toFixed(1)} MiB free`;
}

function writeText({ write }: DiskAnswer): string {
  return write === "written" ? "a write works" : `a write says ${write}`;
}

function seen(node: string, answer: DiskAnswer, holds: boolean | null): Seen {
  return { what: `the disk of ${node}: ${roomText(answer)}, ${writeText(answer)}`, holds };
}

/** See the file's head. */
export class DiskSteps {
  private readonly volumes: VolumeWork;

  constructor(volumes: VolumeWork) {
    this.volumes = volumes;
  }

  /** The node need not run for it. */
  async fill(fault: string, { node, leaveBytes }: StepOf<"ballast">): Promise<Seen> {
    const answer = await this.volumes.disk(fault, node, { act: "fill", leaveBytes });
    if (answer === null) return { what: `${node} has no disk`, holds: false };
    const isFull = leaveBytes > 0 || answer.write === "ENOSPC";
    return seen(node, answer, isFull && answer.freeBytes <= leaveBytes);
  }

  async empty(fault: string, { node }: StepOf<"ballast">): Promise<Seen> {
    const answer = await this.volumes.disk(fault, node, { act: "empty", leaveBytes: 0 });
    if (answer === null) return { what: `${node} has no disk`, holds: true };
    // A disk that the node's own data has filled is no fault of the lab's.
    return seen(node, answer, answer.write === "written" ? true : null);
  }
}
