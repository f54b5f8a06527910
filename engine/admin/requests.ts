import { EngineError } from "../base/engine-error.ts";
import { isRefusedWith, invokeOk, RefusedError } from "../client/index.ts";
import type { RemotingCommand } from "../remoting/command.ts";
import type { CommandSpec, HeaderOf } from "../remoting/command-spec.ts";
import type { RemotingClient } from "../remoting/server-api.ts";

/** @returns true when a request failed because the peer answered that response code */
export function wasRefusedWith(error: unknown, responseCode: number): boolean {
  return error instanceof EngineError && isRefusedWith(error.cause, responseCode);
}

/** Requests of one admin client: one time-out, refusals as ADMIN_REQUEST_FAILED. */
export class AdminRequests {
  private readonly remoting: RemotingClient;
  private readonly timeoutMs: number;

  /** @param timeoutMs of each request */
  constructor(remoting: RemotingClient, timeoutMs: number) {
    this.remoting = remoting;
    this.timeoutMs = timeoutMs;
  }

  /**
   * @param body of the request, if it has one
   * @returns the answer, code 0
   * @throws EngineError ADMIN_REQUEST_FAILED for any other code | REMOTING_*
   */
  async ask<Spec extends CommandSpec>(
    address: string,
    spec: Spec,
    header: HeaderOf<Spec["request"]>,
    body?: Buffer,
  ): Promise<RemotingCommand> {
    const call = { address, spec, header, timeoutMs: this.timeoutMs };
    try {
      return await invokeOk(this.remoting, body === undefined ? call : { ...call, body });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      throw new EngineError("ADMIN_REQUEST_FAILED", { message: error.message, cause: error });
    }
  }

  /** @returns the answer's body @throws EngineError ADMIN_REQUEST_FAILED, also when there is none */
  async askBody<Spec extends CommandSpec>(
    address: string,
    spec: Spec,
    header: HeaderOf<Spec["request"]>,
  ): Promise<Buffer> {
    const { body } = await this.ask(address, spec, header);
    if (body !== null) return body;
    throw new EngineError("ADMIN_REQUEST_FAILED", {
      message: `${address} answered ${spec.name} without a body`,
    });
  }
}

/**
 * Waits for all, then reports every failure at once: one dead broker must not hide what happened to the others.
 * @throws the only error, or EngineError ADMIN_REQUEST_FAILED that names each
 */
export async function allOrReport<Value>(calls: readonly Promise<Value>[]): Promise<Value[]> {
  const settled = await Promise.allSettled(calls);
  const errors = settled.flatMap((one) =>
    one.status === "rejected" ? [one.reason as unknown] : [],
  );
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) {
    const reasons = errors.map((error) => (error instanceof Error ? error.message : String(error)));
    throw new EngineError("ADMIN_REQUEST_FAILED", {
      message: reasons.join("; "),
      cause: errors[0],
    });
  }
  return settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
}
