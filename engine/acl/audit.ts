import type { RemotingCommand } from "../remoting/command.ts";
import { withoutSignature } from "./request-signature.ts";

/** E-07: their values are never written anywhere. */
const SECRET = /secret|password/i;
const LENGTH_MAX = 500;

/** @returns the header fields of an administrator's request for its audit line, secrets as `****`; of a body only its length */
export function auditArguments(request: RemotingCommand): string {
  const fields = [...withoutSignature(request.extFields)].map(
    ([name, value]) => `${name}=${SECRET.test(name) ? "****" : value}`,
  );
  if (request.body !== null) fields.push(`body=${request.body.length} bytes`);
  return fields.join(",").slice(0, LENGTH_MAX);
}
