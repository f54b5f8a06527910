/** Faults of nodes' own disks (`lab up --disk`): full ones, and such that became read-only. */
import { diskLoop } from "../../runtime/docker/node-disks.ts";
import type { LabRuntime } from "../../runtime/runtime.ts";
import type { Seen } from "../actor.ts";
import type { DiskAnswer } from "../agent/protocol.ts";
import type { StepOf } from "../fault.ts";
import { stateOf } from "../node-state.ts";
import { breakDisk, isMounted, repairDisk } from "./broken-disk.ts";
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
  private readonly runtime: LabRuntime;
  private readonly volumes: VolumeWork;

  constructor(runtime: LabRuntime, volumes: VolumeWork) {
    this.runtime = runtime;
    this.volumes = volumes;
  }

  /** The node need not run for it. */
  async fill(fault: string, { node, leaveBytes }: StepOf<"ballast">): Promise<Seen> {
    const answer = await this.volumes.disk(fault, node, { act: "fill", leaveBytes });
    if (answer === null) return { what: `${node} has no disk`, holds: false };
    const isFull = leaveBytes > 0 || answer.write === "ENOSPC";
    return seen(node, answer, isFull && answer.freeBytes <= leaveBytes);
  }

  /** A disk that nobody has mounted has nothing to fail under: the node's next start is told. */
  async breakUnder(fault: string, { node }: StepOf<"readonly">): Promise<Seen> {
    const device = await this.deviceOf(node);
    const runs = await stateOf(this.runtime, node);
    if (device === null || !isMounted(device)) {
      return { what: `${node} is ${runs}: its disk fails when it runs`, holds: null };
    }
    // Beside the node from before the error on: a broker may end at once, and its mount with it.
    const witness = this.volumes.disk(fault, node, { act: "await-readonly", leaveBytes: 0 });
    const answer = await breakDisk(device, witness);
    if (answer === null) return { what: `${node} has no disk`, holds: false };
    return seen(node, answer, answer.write === "EROFS");
  }

  /** Leaves the node stopped; whoever heals starts it when no other fault holds it. */
  async repair(fault: string, { node }: StepOf<"readonly">): Promise<Seen> {
    const device = await this.deviceOf(node);
    if (device === null) return { what: `${node} has no disk`, holds: true };
    const runs = await stateOf(this.runtime, node);
    if (runs === "running" || runs === "paused") await this.runtime.stop(node);
    await repairDisk(device, node);
    const answer = await this.volumes.disk(fault, node, { act: "look", leaveBytes: 0 });
    if (answer === null) return { what: `the disk of ${node} is repaired`, holds: true };
    // One that is full as well is whole all the same.
    return seen(node, answer, answer.write === "written" || answer.write === "ENOSPC");
  }

  private deviceOf(node: string): Promise<string | null> {
    return diskLoop(this.runtime.allocation.stateDir, node);
  }

  async empty(fault: string, { node }: StepOf<"ballast">): Promise<Seen> {
    const answer = await this.volumes.disk(fault, node, { act: "empty", leaveBytes: 0 });
    if (answer === null) return { what: `${node} has no disk`, holds: true };
    // A disk that the node's own data has filled is no fault of the lab's.
    return seen(node, answer, answer.write === "written" ? true : null);
  }
}
