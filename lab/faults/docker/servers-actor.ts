/** Faults of a lab whose hosts are servers: every step is made on the engine of the server its node runs on, every proof measured from there. */
import type { DockerRuntime } from "../../runtime/docker-runtime.ts";
import type { ServersRuntime } from "../../runtime/servers-runtime.ts";
import type { FaultActor, Measure, Seen } from "../actor.ts";
import type { FaultProof, FaultStep } from "../fault.ts";
import type { Capabilities } from "../plan.ts";
import { DockerFaultActor } from "./docker-actor.ts";

/** See the file's head. */
export class ServersFaultActor implements FaultActor {
  private readonly runtime: ServersRuntime;
  private readonly actors = new Map<DockerRuntime, DockerFaultActor>();

  constructor(runtime: ServersRuntime) {
    this.runtime = runtime;
  }

  private of(node: string): DockerFaultActor {
    return this.on(this.runtime.partOf(node));
  }

  private on(part: DockerRuntime): DockerFaultActor {
    const found = this.actors.get(part) ?? new DockerFaultActor(part.engine, this.runtime);
    this.actors.set(part, found);
    return found;
  }

  /** Of the servers that answer. */
  private get all(): readonly DockerFaultActor[] {
    return this.runtime.parts.map((part) => this.on(part));
  }

  /** What every server can do. */
  async capabilities(kind: string): Promise<Capabilities> {
    const all = await Promise.all(this.all.map((actor) => actor.capabilities(kind)));
    return {
      netem: all.every(({ netem }) => netem),
      cpusMax: Math.min(...all.map(({ cpusMax }) => cpusMax)),
    };
  }

  check(steps: readonly FaultStep[]): void {
    for (const { node } of steps) this.of(node);
  }

  async apply(id: string, step: FaultStep): Promise<Seen> {
    return this.of(step.node).apply(id, step);
  }

  async heal(id: string, step: FaultStep): Promise<Seen> {
    return this.of(step.node).heal(id, step);
  }

  async measure(id: string, proofs: readonly FaultProof[]): Promise<readonly Measure[]> {
    const measures = new Map<FaultProof, Measure>();
    for (const actor of this.all) {
      const own = proofs.filter((proof) => this.of(proof.from) === actor);
      const measured = own.length === 0 ? [] : await actor.measure(id, own);
      for (const [index, proof] of own.entries()) {
        const measure = measured[index];
        if (measure !== undefined) measures.set(proof, measure);
      }
    }
    return proofs.map((proof) => measures.get(proof) ?? { value: null, what: "not measured" });
  }

  async sweep(id: string): Promise<void> {
    await Promise.all(this.all.map((actor) => actor.sweep(id)));
  }
}
