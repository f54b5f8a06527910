/**
 * plain_acl.yml as data (faults-and-security 8): read strictly, all problems at once with file and line, and written back in the form that
 * Apache's broker reads too.
 */
import { EngineError } from "../base/engine-error.ts";
import {
  AclAccount,
  groupResource,
  parseRight,
  RIGHT,
  type AclAccountSettings,
  type AclGrants,
} from "./acl-account.ts";
import { parseAddressPattern, type AddressPattern } from "./address-pattern.ts";
import { isKnownSecret } from "./known-secrets.ts";
import { parseYamlSubset, type YamlMap, type YamlNode } from "./yaml-subset.ts";

/** `dataVersion` of the file. */
export interface AclVersion {
  readonly counter: number;
  readonly timestamp: number;
}

/** The file's content without its comments. */
export interface AclDocument {
  readonly globalWhiteRemoteAddresses: readonly string[];
  readonly accounts: readonly AclAccountSettings[];
  readonly version: AclVersion;
}

/** The file's content, ready to judge by. */
export interface AclRules {
  readonly globalAddresses: readonly AddressPattern[];
  readonly accounts: ReadonlyMap<string, AclAccount>;
}

/** Accounts' keys must be longer (4.9). */
const KEY_LENGTH_MIN = 7;
/** Numbers that stay the same when YAML reads them as numbers and prints them again. */
const PLAIN_INTEGER = /^(0|[1-9]\d*)$/;
/** What YAML 1.1 may read as number, date or time, and Apache's broker would then see as another text. */
const NUMBER_LIKE =
  /^[-+]?(0x[\da-f_]+|0b[01_]+|[\d_]+(:[\d_]+)*(\.[\d_]*)?(e[-+]?\d+)?|\.[\d_]+(e[-+]?\d+)?|\.inf|\.nan)$|^\d{4}-\d\d?-\d\d?/i;
/** And as a boolean. */
const BOOLEAN_LIKE = /^(true|false|yes|no|on|off|y|n)$/i;

const TOP_KEYS: ReadonlySet<string> = new Set([
  "globalWhiteRemoteAddresses",
  "accounts",
  "dataVersion",
]);
const ACCOUNT_KEYS: ReadonlySet<string> = new Set([
  "accessKey",
  "secretKey",
  "whiteRemoteAddress",
  "admin",
  "defaultTopicPerm",
  "defaultGroupPerm",
  "topicPerms",
  "groupPerms",
]);

/** Reads nodes and collects what is wrong with them. */
class Reader {
  readonly problems: string[] = [];
  readonly notices: string[] = [];
  private readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  problem(line: number, message: string): void {
    this.problems.push(`${this.file}:${line}: ${message}`);
  }

  notice(line: number, message: string): void {
    this.notices.push(`${this.file}:${line}: ${message}`);
  }

  map(node: YamlNode | undefined, what: string, keys: ReadonlySet<string>): YamlMap | undefined {
    if (node?.kind !== "map") {
      this.problem(node?.line ?? 1, `${what} must be a map of ${[...keys].join(", ")}`);
      return undefined;
    }
    for (const [key, value] of node.entries) {
      if (keys.has(key)) continue;
      this.problem(value.line, `${what} has no key ${key}; there are ${[...keys].join(", ")}`);
    }
    return node;
  }

  list(node: YamlNode | undefined, what: string): readonly YamlNode[] {
    if (node === undefined || (node.kind === "scalar" && node.text === null)) return [];
    if (node.kind === "list") return node.items;
    this.problem(node.line, `${what} must be a list, one \`- value\` a line`);
    return [];
  }

  /** Text that YAML would not turn into something else on its way to Apache's broker. */
  text(node: YamlNode | undefined, what: string): string | undefined {
    if (node === undefined || (node.kind === "scalar" && node.text === null)) return undefined;
    if (node.kind !== "scalar" || node.text === null) {
      this.problem(node.line, `${what} must be one value`);
      return undefined;
    }
    const { text, isQuoted } = node;
    const isAmbiguous =
      (NUMBER_LIKE.test(text) && !PLAIN_INTEGER.test(text)) || BOOLEAN_LIKE.test(text);
    if (!isQuoted && isAmbiguous)
      this.problem(node.line, `${what} would be read as a number or truth value: put it in quotes`);
    return text;
  }

  /** Addresses look like numbers to YAML 1.1 only when they have one dot. */
  address(node: YamlNode | undefined, what: string): string | undefined {
    if (node?.kind === "scalar" && node.text !== null) return node.text;
    return this.text(node, what);
  }

  bool(node: YamlNode | undefined, what: string): boolean | undefined {
    if (node === undefined || (node.kind === "scalar" && node.text === null)) return undefined;
    const word = node.kind === "scalar" ? (node.text ?? "").toLowerCase() : "";
    if (word === "true" || word === "false") return word === "true";
    this.problem(node.line, `${what} must be true or false`);
    return undefined;
  }
}

function readPattern(reader: Reader, text: string, line: number): AddressPattern | undefined {
  const pattern = parseAddressPattern(text);
  if (pattern !== null) return pattern;
  reader.problem(
    line,
    `"${text}" is no address pattern (1.2.3.4, 1.2.3.*, 1.2.3.1-9, 1.2.3.{4,5})`,
  );
  return undefined;
}

/** 4.9 reads a word it does not know as DENY, which is safe but hardly meant. */
function readRight(reader: Reader, word: string | undefined, line: number): number {
  if (word === undefined) return RIGHT.DENY;
  const right = parseRight(word);
  if (right === null)
    reader.notice(line, `"${word}" is none of DENY, PUB, SUB, PUB|SUB and counts as DENY`);
  return right ?? RIGHT.DENY;
}

/** @returns the entries as text; `rights` gets them under the names requests ask for */
function readPerms(
  reader: Reader,
  node: YamlNode | undefined,
  into: { readonly rights: Map<string, number>; readonly resource: (name: string) => string },
): readonly string[] | undefined {
  if (node === undefined) return undefined;
  return reader.list(node, "permissions").flatMap((item) => {
    const text = reader.text(item, "a permission");
    const [, name, word] = /^([^=]+)=([^=]+)$/.exec(text ?? "") ?? [];
    if (text === undefined || name === undefined || word === undefined) {
      reader.problem(item.line, "a permission is written NAME=PERM, for example topicA=PUB|SUB");
      return [];
    }
    into.rights.set(into.resource(name.trim()), readRight(reader, word, item.line));
    return [text];
  });
}

function checkKeys(reader: Reader, settings: AclAccountSettings, line: number): void {
  const { accessKey, secretKey } = settings;
  for (const [what, value] of Object.entries({ accessKey, secretKey })) {
    if (value.length < KEY_LENGTH_MIN)
      reader.problem(line, `${what} is missing or has fewer than ${KEY_LENGTH_MIN} characters`);
  }
  if (isKnownSecret(accessKey, secretKey))
    reader.problem(line, `the secret of account ${accessKey} is one everybody knows (E-11)`);
}

interface ReadAccount {
  readonly settings: AclAccountSettings;
  readonly account: AclAccount;
}

function readAccount(reader: Reader, node: YamlNode): ReadAccount | undefined {
  const map = reader.map(node, "an account", ACCOUNT_KEYS);
  if (map === undefined) return undefined;
  const field = (name: string): YamlNode | undefined => map.entries.get(name);
  const lineOf = (name: string): number => field(name)?.line ?? node.line;
  const word = (name: string): string | undefined => reader.text(field(name), name);
  const rights = new Map<string, number>();
  const white = reader.address(field("whiteRemoteAddress"), "whiteRemoteAddress");
  const topics = { rights, resource: (name: string) => name };
  const settings: AclAccountSettings = {
    accessKey: word("accessKey") ?? "",
    secretKey: word("secretKey") ?? "",
    whiteRemoteAddress: white,
    admin: reader.bool(field("admin"), "admin"),
    defaultTopicPerm: word("defaultTopicPerm"),
    defaultGroupPerm: word("defaultGroupPerm"),
    topicPerms: readPerms(reader, field("topicPerms"), topics),
    groupPerms: readPerms(reader, field("groupPerms"), { rights, resource: groupResource }),
  };
  checkKeys(reader, settings, node.line);
  const isBlank = white === undefined || white.trim() === "";
  const line = lineOf("whiteRemoteAddress");
  const addresses = isBlank ? undefined : readPattern(reader, white, line);
  const grants: AclGrants = {
    isAdmin: settings.admin ?? false,
    defaultTopicRight: readRight(reader, settings.defaultTopicPerm, lineOf("defaultTopicPerm")),
    defaultGroupRight: readRight(reader, settings.defaultGroupPerm, lineOf("defaultGroupPerm")),
    rights: rights.size === 0 ? null : rights,
  };
  // A secret that was refused above is empty perhaps, and no key can be made of nothing.
  const secretKey = settings.secretKey === "" ? "refused" : settings.secretKey;
  return { settings, account: new AclAccount({ ...settings, secretKey }, grants, addresses) };
}

function readVersion(reader: Reader, node: YamlNode | undefined): AclVersion {
  const [first] = reader.list(node, "dataVersion");
  const entries = first?.kind === "map" ? first.entries : new Map<string, YamlNode>();
  const number = (name: string): number => {
    const value = entries.get(name);
    return value?.kind === "scalar" && PLAIN_INTEGER.test(value.text ?? "")
      ? Number(value.text)
      : 0;
  };
  return { counter: number("counter"), timestamp: number("timestamp") };
}

/** A file taken apart. */
export interface LoadedAcl {
  readonly document: AclDocument;
  readonly rules: AclRules;
  /** Lines for the log: what is accepted but hardly meant. */
  readonly notices: readonly string[];
}

/**
 * @param text content of plain_acl.yml
 * @param file its name, for messages
 * @throws EngineError ACL_FILE_INVALID naming every problem with file and line; an empty file is one
 */
export function parseAclDocument(text: string, file: string): LoadedAcl {
  const root = parseYamlSubset(text, file);
  const reader = new Reader(file);
  const map = reader.map(root ?? undefined, "the file", TOP_KEYS);
  const field = (name: string): YamlNode | undefined => map?.entries.get(name);
  const globalWhiteRemoteAddresses: string[] = [];
  const globalAddresses: AddressPattern[] = [];
  for (const item of reader.list(
    field("globalWhiteRemoteAddresses"),
    "globalWhiteRemoteAddresses",
  )) {
    const address = reader.address(item, "an address");
    if (address === undefined || address.trim() === "") continue;
    const pattern = readPattern(reader, address, item.line);
    if (pattern === undefined) continue;
    globalWhiteRemoteAddresses.push(address);
    globalAddresses.push(pattern);
  }
  const accounts = new Map<string, ReadAccount>();
  for (const node of reader.list(field("accounts"), "accounts")) {
    const read = readAccount(reader, node);
    if (read === undefined) continue;
    const { accessKey } = read.settings;
    if (accounts.has(accessKey))
      reader.problem(node.line, `account ${accessKey} stands here twice`);
    accounts.set(accessKey, read);
  }
  const version = readVersion(reader, field("dataVersion"));
  if (reader.problems.length > 0) {
    throw new EngineError("ACL_FILE_INVALID", {
      message: reader.problems.join("\n"),
      hint: "correct these lines; until then the rules that were read before stay in force, and a broker does not start",
    });
  }
  const all = [...accounts.values()];
  return {
    document: {
      globalWhiteRemoteAddresses,
      accounts: all.map(({ settings }) => settings),
      version,
    },
    rules: {
      globalAddresses,
      accounts: new Map(all.map(({ account }) => [account.accessKey, account])),
    },
    notices: reader.notices,
  };
}

/** Single quotes keep a text a text, whatever it looks like. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function listLines(name: string, values: readonly string[] | undefined, indent: string): string[] {
  if (values === undefined) return [];
  if (values.length === 0) return [`${indent}${name}: []`];
  return [`${indent}${name}:`, ...values.map((value) => `${indent}- ${quoted(value)}`)];
}

function accountLines(account: AclAccountSettings): string[] {
  const texts = [
    ["secretKey", account.secretKey],
    ["whiteRemoteAddress", account.whiteRemoteAddress],
    ["defaultTopicPerm", account.defaultTopicPerm],
    ["defaultGroupPerm", account.defaultGroupPerm],
  ] as const;
  return [
    `- accessKey: ${quoted(account.accessKey)}`,
    ...texts.flatMap(([name, value]) =>
      value === undefined ? [] : [`  ${name}: ${quoted(value)}`],
    ),
    ...(account.admin === undefined ? [] : [`  admin: ${account.admin}`]),
    ...listLines("topicPerms", account.topicPerms, "  "),
    ...listLines("groupPerms", account.groupPerms, "  "),
  ];
}

/** @returns the document as YAML that this parser and SnakeYAML read alike; comments of the old file are gone, as with Apache's broker */
export function renderAclDocument(document: AclDocument): string {
  const { globalWhiteRemoteAddresses, accounts, version } = document;
  const lines = [
    ...listLines("globalWhiteRemoteAddresses", globalWhiteRemoteAddresses, ""),
    accounts.length === 0 ? "accounts: []" : "accounts:",
    ...accounts.flatMap(accountLines),
    "dataVersion:",
    `- counter: ${version.counter}`,
    `  timestamp: ${version.timestamp}`,
  ];
  return `${lines.join("\n")}\n`;
}
