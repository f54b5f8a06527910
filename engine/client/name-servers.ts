import { EngineError } from "../base/engine-error.ts";
import type { RemotingCommand, RequestCommand } from "../remoting/command.ts";
import { RESPONSE_CODE } from "../remoting/response-codes.ts";
import type { RemotingClient } from "../remoting/server-api.ts";

/**
 * The list of name servers (remoting-protocol 5.2). Starts at a random one and stays there while it answers; whoever does not answer, or does
 * not know, passes the question on to the next, so that one stopped or freshly started name server is never noticed.
 */
export class NameServers {
  private readonly remoting: RemotingClient;
  private readonly addresses: readonly string[];
  private current: number;

  /** @param addresses `host:port` list, not empty @throws EngineError CLIENT_NO_ROUTE when it is */
  constructor(remoting: RemotingClient, addresses: readonly string[]) {
    if (addresses.length === 0) {
      throw new EngineError("CLIENT_NO_ROUTE", {
        message: "no name server address was given",
        hint: "pass at least one host:port",
      });
    }
    this.remoting = remoting;
    this.addresses = addresses;
    this.current = Math.floor(Math.random() * addresses.length);
  }

  /**
   * @param timeoutMs for all of them together; each gets an even share of what is left
   * @returns the first success, else an answer that is none
   * @throws EngineError CLIENT_NO_ROUTE when none answered
   */
  async ask(request: RequestCommand, timeoutMs: number): Promise<RemotingCommand> {
    const deadline = performance.now() + timeoutMs;
    let refusal: RemotingCommand | undefined;
    let lastError: unknown;
    const first = this.current;
    const count = this.addresses.length;
    for (let step = 0; step < count; step += 1) {
      const index = (first + step) % count;
      const share = Math.max(1, (deadline - performance.now()) / (count - step));
      try {
        const answer = await this.remoting.invoke(this.addresses[index] ?? "", request, share);
        if (answer.code === RESPONSE_CODE.SUCCESS) {
          this.current = index;
          return answer;
        }
        refusal ??= answer;
      } catch (error) {
        lastError = error;
      }
    }
    return refusal ?? this.noneAnswered(lastError);
  }

  private noneAnswered(cause: unknown): never {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError("CLIENT_NO_ROUTE", {
      message: `no name server answered (${this.addresses.join(", ")}): ${reason}`,
      hint: "check that a name server runs there and can be reached",
      cause,
    });
  }
}
