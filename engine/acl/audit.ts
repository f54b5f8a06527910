import type { RemotingCommand } from "../remoting/command.ts";
import { ACCESS_KEY, SECURITY_TOKEN, SIGNATURE } from "./request-signature.ts";

/** E-07: their values are never written anywhere. */
const SECRET = /secret|password/i;
const LEFT_OUT: ReadonlySet<string> = new Set([ACCESS_KEY, SIGNATURE, SECURITY_TOKEN]);
const LENGTH_MAX = 500;

/** @returns the header fields of an administrator's request for its audit line, secrets as `****`; of a body only its length */
export function auditArguments(request: RemotingCommand): string {
  const fields = [...request.extFields]
    .filter(([name]) => !LEFT_OUT.has(name))
    .map(([name, value]) => `${name}=${SECRET.test(name) ? "****" : value}`);
  if (request.body !== null) fields.push(`body=${request.body.length} bytes`);
  return fields.join(",").slice(0, LENGTH_MAX);
}
