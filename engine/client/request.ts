/** One request to one address, judged by the code of its answer. */
import { EngineError } from "../base/engine-error.ts";
import type { RemotingCommand } from "../remoting/command.ts";
import { encodeHeader, type CommandSpec, type HeaderOf } from "../remoting/command-spec.ts";
import { RESPONSE_CODE, responseCodeName } from "../remoting/response-codes.ts";
import type { RemotingClient } from "../remoting/server-api.ts";

/** A peer answered with a code that is no success. */
export class RefusedError extends EngineError {
  readonly responseCode: number;
  readonly remark: string;

  /**
   * @param address who refused
   * @param request name of the request
   * @param response its answer
   */
  constructor(address: string, request: string, response: RemotingCommand) {
    const remark = response.remark ?? "";
    const name = responseCodeName(response.code);
    super("CLIENT_BROKER_REFUSED", {
      message: `${address} refused ${request} with code ${response.code} (${name})${remark === "" ? "" : `: ${remark}`}`,
    });
    this.responseCode = response.code;
    this.remark = remark;
  }
}

/** @returns true when the error is a refusal with that response code */
export function isRefusedWith(error: unknown, responseCode: number): boolean {
  return error instanceof RefusedError && error.responseCode === responseCode;
}

/** What to ask of whom. */
export interface Call<Spec extends CommandSpec> {
  readonly address: string;
  readonly spec: Spec;
  readonly header: HeaderOf<Spec["request"]>;
  readonly body?: Buffer;
  readonly timeoutMs: number;
}

/**
 * @returns the answer, code 0
 * @throws RefusedError for any other code; EngineError REMOTING_* when there was no answer
 */
export async function invokeOk<Spec extends CommandSpec>(
  remoting: RemotingClient,
  call: Call<Spec>,
): Promise<RemotingCommand> {
  const { address, spec, timeoutMs, body } = call;
  const extFields = encodeHeader<Spec["request"]>(spec.request, call.header);
  const request = { code: spec.code, extFields, body: body ?? null };
  const response = await remoting.invoke(address, request, timeoutMs);
  if (response.code !== RESPONSE_CODE.SUCCESS) throw new RefusedError(address, spec.name, response);
  return response;
}
