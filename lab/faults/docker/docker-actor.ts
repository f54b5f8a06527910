/** Faults of a lab in Docker: rules in the nodes' network namespaces, limits of their containers, their disks, their processes. */
import type Docker from "dockerode";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { DATA_DIR } from "../../compose/node-environment.ts";
import { dockerError } from "../../runtime/docker/docker-error.ts";
import { LabContainers } from "../../runtime/docker/lab-containers.ts";
import { connectDocker, type DockerEngine } from "../../runtime/preflight/engine.ts";
import type { LabRuntime } from "../../runtime/runtime.ts";
import { ServersRuntime } from "../../runtime/servers-runtime.ts";
import type { FaultActor, Measure, Seen } from "../actor.ts";
import type { AgentOp, AgentResult } from "../agent/protocol.ts";
import { ClockSteps } from "../clock/clock-steps.ts";
import type { FaultProof, FaultStep, StepOf } from "../fault.ts";
import type { Capabilities } from "../plan.ts";
import { ProcessSteps } from "../process-actor.ts";
import { canBreakDisks } from "./broken-disk.ts";
import { DiskSteps } from "./disk-steps.ts";
import { throttleDisk } from "./disk-throttle.ts";
import { Helpers } from "./helper-containers.ts";
import { measureProofs } from "./measure.ts";
import { VolumeWork } from "./volume-work.ts";

const MIB = 1_048_576;
const NANO = 1e9;

function run(argv: readonly string[]): AgentOp {
  return { op: "run", argv };
}

function failed(message: string): EngineError {
  return new EngineError("LAB_FAULT_FAILED", {
    message,
    hint: "`lab fault list` shows what is in effect; `lab heal --all` takes everything back",
  });
}

const NOT_RUNNING = "does not run";

/** See the file's head. */
export class DockerFaultActor implements FaultActor {
  private readonly engine: DockerEngine;
  private readonly runtime: LabRuntime;
  private readonly containers: LabContainers;
  private readonly helpers: Helpers;
  private readonly processes: ProcessSteps;
  private readonly clocks: ClockSteps;
  private readonly disks: DiskSteps;

  /** @param engine that runs the nodes it acts on @param runtime of the whole lab */
  constructor(engine: DockerEngine, runtime: LabRuntime) {
    this.engine = engine;
    this.runtime = runtime;
    this.containers = new LabContainers(engine.docker, runtime.allocation);
    const access = runtime.containerAccess?.();
    if (access === undefined) throw new RangeError("the runtime has no containers");
    this.helpers = new Helpers(this.containers, runtime.allocation, access);
    const volumes = new VolumeWork(this.helpers);
    this.processes = new ProcessSteps(runtime, (id, node) => volumes.wipe(id, node));
    this.clocks = new ClockSteps(runtime, (id, node, wanted) => volumes.setClock(id, node, wanted));
    this.disks = new DiskSteps(runtime, volumes);
  }

  async capabilities(kind: string): Promise<Capabilities> {
    const cpusMax = this.engine.cpus;
    if (kind === "disk-readonly") return { netem: false, cpusMax, diskErrors: canBreakDisks() };
    if (kind !== "delay") return { netem: false, cpusMax };
    const netem = ["tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"];
    const [result] = await this.helpers.tryOut([run(netem)]);
    return { netem: result?.code === 0, cpusMax };
  }

  async apply(id: string, step: FaultStep): Promise<Seen> {
    switch (step.kind) {
      case "rules":
        return this.applyRules(id, step);
      case "relay": {
        await this.helpers.remove(id, step.node);
        const isUp = await this.helpers.startRelay(id, step);
        if (!isUp)
          return { what: `${step.node} ${NOT_RUNNING}: applied at its start`, holds: null };
        return { what: `a relay stands beside ${step.node}`, holds: true };
      }
      case "limits":
        return this.limit(step, "to");
      case "io":
        return this.throttle(step.node, step.iops);
      case "clock":
        return this.clocks.apply(id, step);
      case "ballast":
        return this.disks.fill(id, step);
      case "readonly":
        return this.disks.breakUnder(id, step);
      case "process":
        return this.processes.apply(id, step);
    }
  }

  async heal(id: string, step: FaultStep): Promise<Seen> {
    switch (step.kind) {
      case "rules":
        return this.healRules(id, step);
      case "relay":
        await this.helpers.remove(id, step.node);
        return { what: `no relay beside ${step.node}`, holds: true };
      case "limits":
        return this.limit(step, "back");
      case "io":
        return this.throttle(step.node, null);
      case "clock":
        return this.clocks.heal(id, step);
      case "ballast":
        return this.disks.empty(id, step);
      case "readonly":
        return this.disks.repair(id, step);
      case "process":
        return this.processes.heal(step);
    }
  }

  async measure(id: string, proofs: readonly FaultProof[]): Promise<readonly Measure[]> {
    return measureProofs((node, ops) => this.helpers.run(id, node, ops), proofs);
  }

  async sweep(id: string): Promise<void> {
    await this.helpers.remove(id);
    await this.helpers.removeTrials();
  }

  /** What an earlier try left is taken away first. */
  private async applyRules(id: string, step: StepOf<"rules">): Promise<Seen> {
    const { node } = step;
    const ops = [...step.heal, ...step.apply, step.look].map(run);
    const results = await this.helpers.run(id, node, ops);
    if (results === null)
      return { what: `${node} ${NOT_RUNNING}: applied at its start`, holds: null };
    const applied = results.slice(step.heal.length, -1);
    const wrong = applied.findIndex((result) => result.code !== 0);
    if (wrong !== -1) {
      const command = step.apply[wrong]?.join(" ") ?? "";
      throw failed(`${node}: \`${command}\` failed: ${applied[wrong]?.text ?? ""}`);
    }
    const holds = results.at(-1)?.text.includes(step.mark) ?? false;
    return { what: `${node}: ${step.mark} ${holds ? "stands" : "is missing"}`, holds };
  }

  private async healRules(id: string, step: StepOf<"rules">): Promise<Seen> {
    const { node } = step;
    const results = await this.helpers.run(id, node, [...step.heal, step.look].map(run));
    if (results === null)
      return { what: `${node} ${NOT_RUNNING}: its rules went with it`, holds: true };
    const look: AgentResult | undefined = results.at(-1);
    const holds = look?.code === 0 && !look.text.includes(step.mark);
    return { what: `${node}: ${step.mark} ${holds ? "is gone" : "still stands"}`, holds };
  }

  private async limit(step: StepOf<"limits">, way: "to" | "back"): Promise<Seen> {
    const { node, memoryMiB, cpus } = step;
    const container = await this.containers.find(node);
    if (container === null) return { what: `${node} has no container`, holds: way === "back" };
    const memory = memoryMiB === null ? null : memoryMiB[way] * MIB;
    const wanted = {
      ...(memory === null ? {} : { Memory: memory, MemorySwap: memory }),
      ...(cpus === null ? {} : { NanoCpus: Math.round(cpus[way] * NANO) }),
    };
    await container.update(wanted).catch((error: unknown) => {
      throw failed(dockerError(error, `limiting ${node}`).message);
    });
    const { HostConfig: now, State: state } = await container.inspect();
    const isEnded = way === "back" && state.OOMKilled && !state.Running;
    // What the limit ended comes back with it.
    if (isEnded) await this.runtime.start(node);
    const holds = Object.entries(wanted).every(
      ([key, value]) => now[key as keyof Docker.HostConfig] === value,
    );
    const text =
      memory === null ? `${(now.NanoCpus ?? 0) / NANO} CPUs` : `${(now.Memory ?? 0) / MIB} MiB`;
    const ended = isEnded ? "; the system had ended it, it was started again" : "";
    return { what: `${node}: the engine says ${text}${ended}`, holds };
  }

  private async throttle(node: string, iops: number | null): Promise<Seen> {
    const container = await this.containers.find(node);
    const details = await container?.inspect();
    if (details === undefined || !details.State.Running) {
      const what = `${node} ${NOT_RUNNING}`;
      return {
        what: iops === null ? `${what}: the limit went with it` : what,
        holds: iops === null,
      };
    }
    const volume = details.Mounts.find((mount) => mount.Destination === DATA_DIR)?.Source;
    if (volume === undefined) {
      const what = `${node} keeps nothing on a disk`;
      if (iops === null) return { what, holds: true };
      throw failed(what);
    }
    const now = throttleDisk(details.State.Pid, volume, iops);
    const holds = iops === null ? (now.iops ?? 0) === 0 : now.iops === iops;
    const text = now.iops === null || now.iops === 0 ? "no limit" : `${now.iops} writes a second`;
    return { what: `${node}: the kernel says ${text} on disk ${now.device}`, holds };
  }
}

/**
 * @param runtime of a lab in Docker
 * @throws EngineError DOCKER_ENGINE_MISSING | DOCKER_PERMISSION
 */
export async function createDockerFaultActor(runtime: LabRuntime): Promise<FaultActor> {
  if (runtime instanceof ServersRuntime) {
    const { ServersFaultActor } = await import("./servers-actor.ts");
    return new ServersFaultActor(runtime);
  }
  return new DockerFaultActor(await connectDocker(), runtime);
}
