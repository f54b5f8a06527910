/**
 * Signatures of ACL 1.0 (remoting-protocol 6.1): Base64(HMAC-SHA1(secret, values of all header fields in the order of their names + body)).
 * The signature covers neither the request code nor a time (E-05).
 */
import { createHmac, timingSafeEqual, type KeyObject } from "node:crypto";
import type { ExtFields, RequestCommand } from "../remoting/command.ts";
import type { RequestSigner } from "../remoting/server-api.ts";

export const ACCESS_KEY = "AccessKey";
export const SIGNATURE = "Signature";
export const SECURITY_TOKEN = "SecurityToken";
/** Clients up to 4.9.7 do not sign it, later ones do. */
const UNIQUE_KEY_QUERY = "_UNIQUE_KEY_QUERY";
const DIGEST_BYTES = 20;

/** What a client signs with. */
export interface AclCredentials {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly securityToken?: string;
}

/**
 * For requests that are passed on: a signature names no request code, so whoever sees an administrator's can bend it to another request (E-05).
 * @returns the fields without what the sender signed with
 */
export function withoutSignature(ext: ExtFields): Map<string, string> {
  const bare = new Map(ext);
  for (const name of [ACCESS_KEY, SIGNATURE, SECURITY_TOKEN]) bare.delete(name);
  return bare;
}

/** Sorted as Java sorts strings: by UTF-16 code unit. */
function signedValues(ext: ExtFields, left: ReadonlySet<string>): string {
  return [...ext.keys()]
    .filter((name) => name !== SIGNATURE && !left.has(name))
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((name) => ext.get(name) ?? "")
    .join("");
}

function digest(secret: KeyObject | string, content: string, body: Buffer | null): Buffer {
  const hmac = createHmac("sha1", secret).update(content, "utf8");
  return (body === null ? hmac : hmac.update(body)).digest();
}

/**
 * @param request not signed yet
 * @param credentials of the account
 * @returns the request with AccessKey, Signature and, when there is one, SecurityToken, as Apache's 4.9 client signs it
 */
export function signRequest(request: RequestCommand, credentials: AclCredentials): RequestCommand {
  const ext = new Map(request.extFields);
  ext.set(ACCESS_KEY, credentials.accessKey);
  if (credentials.securityToken !== undefined) ext.set(SECURITY_TOKEN, credentials.securityToken);
  // Apache's broker leaves this one out, whatever the client did.
  const content = signedValues(ext, new Set([UNIQUE_KEY_QUERY]));
  const signature = digest(credentials.secretKey, content, request.body ?? null);
  ext.set(SIGNATURE, signature.toString("base64"));
  return { ...request, extFields: ext };
}

/** Fields that some client leaves out of what it signs, in every combination that is present. */
function variants(ext: ExtFields): ReadonlySet<string>[] {
  const optional = [UNIQUE_KEY_QUERY, SECURITY_TOKEN].filter((name) => ext.has(name));
  const sets: ReadonlySet<string>[] = [new Set<string>()];
  for (const name of optional) sets.push(...sets.map((set) => new Set([...set, name])));
  return sets;
}

/**
 * Compares in constant time (E-04); at most four digests are computed.
 * @param ext header fields as received
 * @param body of the request
 * @param secret of the account that AccessKey names
 * @returns false also when there is no signature
 */
export function isSignedWith(ext: ExtFields, body: Buffer | null, secret: KeyObject): boolean {
  const given = Buffer.from(ext.get(SIGNATURE) ?? "", "base64");
  if (given.length !== DIGEST_BYTES) return false;
  let isEqual = false;
  for (const left of variants(ext)) {
    if (timingSafeEqual(digest(secret, signedValues(ext, left), body), given)) isEqual = true;
  }
  return isEqual;
}

/** @returns a signer for outgoing requests, or undefined without credentials */
export function signerOf(
  credentials: AclCredentials | null | undefined,
): RequestSigner | undefined {
  return credentials === null || credentials === undefined
    ? undefined
    : (request) => signRequest(request, credentials);
}
