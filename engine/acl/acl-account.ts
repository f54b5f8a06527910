/** One account of plain_acl.yml: its keys as they stand in the file, and what they allow (faults-and-security 8). */
import { createSecretKey, type KeyObject } from "node:crypto";
import type { AddressPattern } from "./address-pattern.ts";

/** Rights as bits. */
export const RIGHT = { DENY: 1, PUB: 4, SUB: 8 } as const;

/** Groups are resources under the name of their retry topic. */
const RETRY_TOPIC_PREFIX = "%RETRY%";

/** @returns the resource a consumer group is looked up as */
export function groupResource(group: string): string {
  return RETRY_TOPIC_PREFIX + group;
}

/** @returns true when the resource is a consumer group */
export function isGroupResource(resource: string): boolean {
  return resource.startsWith(RETRY_TOPIC_PREFIX);
}

const RIGHTS_BY_WORD: ReadonlyMap<string, number> = new Map([
  ["DENY", RIGHT.DENY],
  ["PUB", RIGHT.PUB],
  ["SUB", RIGHT.SUB],
  ["PUB|SUB", RIGHT.PUB | RIGHT.SUB],
  ["SUB|PUB", RIGHT.PUB | RIGHT.SUB],
]);

/** @returns the right a word stands for, or null when it is none (4.9 reads it as DENY) */
export function parseRight(word: string): number | null {
  return RIGHTS_BY_WORD.get(word.trim()) ?? null;
}

/** An account as the file has it. Undefined members are not in the file. */
export interface AclAccountSettings {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly whiteRemoteAddress?: string | undefined;
  readonly admin?: boolean | undefined;
  readonly defaultTopicPerm?: string | undefined;
  readonly defaultGroupPerm?: string | undefined;
  /** `topic=PERM` each. */
  readonly topicPerms?: readonly string[] | undefined;
  /** `group=PERM` each. */
  readonly groupPerms?: readonly string[] | undefined;
}

/** What the permissions of an account are made of, parsed. */
export interface AclGrants {
  readonly isAdmin: boolean;
  readonly defaultTopicRight: number;
  readonly defaultGroupRight: number;
  /** By resource; null when the account has no entry of its own at all. */
  readonly rights: ReadonlyMap<string, number> | null;
}

/** An account that requests are judged by. */
export class AclAccount {
  readonly accessKey: string;
  readonly secret: KeyObject;
  readonly isAdmin: boolean;
  /** Undefined when the account may be used from everywhere (strict) or has no white list (compat). */
  readonly addresses: AddressPattern | undefined;
  private readonly grants: AclGrants;

  /** @param settings as in the file @param grants its permissions, parsed @param addresses its white list, parsed */
  constructor(
    settings: Pick<AclAccountSettings, "accessKey" | "secretKey">,
    grants: AclGrants,
    addresses: AddressPattern | undefined,
  ) {
    this.accessKey = settings.accessKey;
    this.secret = createSecretKey(Buffer.from(settings.secretKey, "utf8"));
    this.isAdmin = grants.isAdmin;
    this.addresses = addresses;
    this.grants = grants;
  }

  /**
   * 4.9's order: an admin without entries may do all; an explicit entry decides; else the default of its kind. DENY wins.
   * @param resource topic, or `%RETRY%group`
   * @param right RIGHT.PUB or RIGHT.SUB
   */
  may(resource: string, right: number): boolean {
    const { rights, isAdmin, defaultGroupRight, defaultTopicRight } = this.grants;
    if (rights === null && isAdmin) return true;
    const owned =
      rights?.get(resource) ?? (isGroupResource(resource) ? defaultGroupRight : defaultTopicRight);
    return (owned & RIGHT.DENY) === 0 && (owned & right) !== 0;
  }
}
