import { EngineError } from "../base/engine-error.ts";
import type { RemotingCommand } from "./command.ts";

const TICK_MS = 50;

interface Invocation {
  readonly resolve: (response: RemotingCommand) => void;
  readonly reject: (error: Error) => void;
  readonly deadlineMs: number;
}

/** Requests of one connection that wait for their answer, by opaque; one timer for all of them. */
export class Invocations {
  private readonly waiting = new Map<number, Invocation>();
  private timer: NodeJS.Timeout | undefined;

  /** @returns the answer @throws EngineError REMOTING_TIMEOUT or whatever `failAll` is given */
  add(opaque: number, timeoutMs: number): Promise<RemotingCommand> {
    return new Promise((resolve, reject) => {
      this.waiting.set(opaque, { resolve, reject, deadlineMs: performance.now() + timeoutMs });
      this.timer ??= setInterval(() => this.expire(), TICK_MS);
    });
  }

  /** @returns false when nobody waits for it: late or never asked (F-14) */
  complete(response: RemotingCommand): boolean {
    const invocation = this.waiting.get(response.opaque);
    if (invocation === undefined) return false;
    this.waiting.delete(response.opaque);
    this.stopWhenEmpty();
    invocation.resolve(response);
    return true;
  }

  /** Fails everything at once (connection closed). */
  failAll(error: Error): void {
    const all = [...this.waiting.values()];
    this.waiting.clear();
    this.stopWhenEmpty();
    for (const invocation of all) invocation.reject(error);
  }

  private expire(): void {
    const now = performance.now();
    for (const [opaque, invocation] of this.waiting) {
      if (invocation.deadlineMs > now) continue;
      this.waiting.delete(opaque);
      invocation.reject(
        new EngineError("REMOTING_TIMEOUT", { message: `no answer to request ${opaque} in time` }),
      );
    }
    this.stopWhenEmpty();
  }

  private stopWhenEmpty(): void {
    if (this.waiting.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
