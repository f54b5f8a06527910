/** What a request code needs of its caller (E-01). Broker and name server each have one table of these. */
import type { RemotingCommand } from "../remoting/command.ts";

/** One right on one resource: a topic, or a group as `%RETRY%group`. */
export interface Need {
  readonly resource: string;
  /** RIGHT.PUB or RIGHT.SUB. */
  readonly right: number;
}

/**
 * `account`: any valid account. `rights`: the rights that the request's own fields name. `peer`: the brokers' account or an administrator.
 * `admin`: an administrator; every such call leaves an audit line (E-08).
 */
export type AccessRule =
  | { readonly kind: "account" }
  | { readonly kind: "peer" }
  | { readonly kind: "admin" }
  | {
      readonly kind: "rights";
      /** @throws EngineError for a request that cannot be read; it is answered 1 and not served */
      readonly needs: (request: RemotingCommand) => readonly Need[];
    };

/** By request code. A code that is not here is refused to everybody. */
export type AccessRules = ReadonlyMap<number, AccessRule>;

/** @returns a rule for each of the codes */
export function sameRule(
  codes: readonly number[],
  rule: AccessRule,
): readonly (readonly [number, AccessRule])[] {
  return codes.map((code) => [code, rule] as const);
}
