/**
 * Makes X.509 certificates with elliptic keys (P-256, ECDSA with SHA-256): for TLS in test mode, where 4.9 makes one too, and for tests. Node
 * can read certificates and not make them. DER, RFC 5280:
 *
 *   Certificate ::= SEQUENCE { tbs, algorithm, BIT STRING signature }
 *   tbs         ::= SEQUENCE { [0] version 2, serial, algorithm, issuer, validity, subject, subject's key, [3] extensions }
 */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import { isIP, isIPv4 } from "node:net";

const TAG = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  OID: 0x06,
  UTF8: 0x0c,
  UTC_TIME: 0x17,
  SEQUENCE: 0x30,
  SET: 0x31,
  VERSION: 0xa0,
  EXTENSIONS: 0xa3,
  DNS_NAME: 0x82,
  IP_ADDRESS: 0x87,
} as const;

/** Object identifiers, encoded: ecdsa-with-SHA256, commonName, basicConstraints, subjectAltName. */
const ECDSA_SHA256 = "2a8648ce3d040302";
const COMMON_NAME = "550403";
const BASIC_CONSTRAINTS = "551d13";
const ALT_NAMES = "551d11";

const DAY_MS = 86_400_000;

/** A certificate with its key, PEM. */
export interface Certificate {
  readonly cert: string;
  /** PKCS #8. */
  readonly key: string;
}

/** A certificate that can sign others. */
export interface Issuer extends Certificate {
  readonly name: string;
  readonly privateKey: KeyObject;
}

/** What a certificate says. */
export interface CertificateRequest {
  readonly commonName: string;
  /** Host names and addresses it is for. */
  readonly hosts?: readonly string[];
  readonly days?: number;
  /** Missing: signed by itself. */
  readonly issuer?: Issuer;
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 128) return Buffer.concat([Buffer.from([tag, length]), content]);
  const bytes = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...bytes]), content]);
}

function oid(hex: string): Buffer {
  return der(TAG.OID, Buffer.from(hex, "hex"));
}

function nameOf(commonName: string): Buffer {
  const pair = der(TAG.SEQUENCE, oid(COMMON_NAME), der(TAG.UTF8, Buffer.from(commonName, "utf8")));
  return der(TAG.SEQUENCE, der(TAG.SET, pair));
}

function timeOf(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, "").slice(2, 14);
  return der(TAG.UTC_TIME, Buffer.from(`${digits}Z`, "latin1"));
}

function v6Bytes(address: string): Buffer {
  const [head = "", tail] = address.split("::");
  const groups = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => 0);
  return Buffer.from([...first, ...zeros, ...last].flatMap((group) => [group >> 8, group & 255]));
}

function hostName(host: string): Buffer {
  if (isIP(host) === 0) return der(TAG.DNS_NAME, Buffer.from(host, "latin1"));
  const bytes = isIPv4(host) ? Buffer.from(host.split(".").map(Number)) : v6Bytes(host);
  return der(TAG.IP_ADDRESS, bytes);
}

function extensions(isAuthority: boolean, hosts: readonly string[]): Buffer {
  const yes = der(TAG.BOOLEAN, Buffer.from([0xff]));
  const constraints = der(TAG.SEQUENCE, ...(isAuthority ? [yes] : []));
  const list = [der(TAG.SEQUENCE, oid(BASIC_CONSTRAINTS), yes, der(TAG.OCTET_STRING, constraints))];
  if (hosts.length > 0) {
    const names = der(TAG.SEQUENCE, ...hosts.map(hostName));
    list.push(der(TAG.SEQUENCE, oid(ALT_NAMES), der(TAG.OCTET_STRING, names)));
  }
  return der(TAG.EXTENSIONS, der(TAG.SEQUENCE, ...list));
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/**
 * @param request what it says
 * @returns a certificate of version 3; one that is signed by itself may sign others
 */
export function makeCertificate(request: CertificateRequest): Issuer {
  const { commonName, hosts = [], days = 30, issuer } = request;
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = der(TAG.SEQUENCE, oid(ECDSA_SHA256));
  const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(15)]);
  const now = Date.now();
  const tbs = der(
    TAG.SEQUENCE,
    der(TAG.VERSION, der(TAG.INTEGER, Buffer.from([2]))),
    der(TAG.INTEGER, serial),
    algorithm,
    nameOf(issuer?.name ?? commonName),
    der(TAG.SEQUENCE, timeOf(now - DAY_MS), timeOf(now + days * DAY_MS)),
    nameOf(commonName),
    publicKey.export({ type: "spki", format: "der" }),
    extensions(issuer === undefined, hosts),
  );
  const signature = sign("sha256", tbs, issuer?.privateKey ?? privateKey);
  const bits = der(TAG.BIT_STRING, Buffer.from([0]), signature);
  return {
    cert: pem(der(TAG.SEQUENCE, tbs, algorithm, bits)),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    name: commonName,
    privateKey,
  };
}
