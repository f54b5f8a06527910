/** A RocketMQ home with accounts: conf/plain_acl.yml and conf/tools.yml, as name servers, brokers and mqadmin read them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { signRequest, type AclCredentials } from "../../engine/acl/request-signature.ts";
import type { PeerRequest } from "./remoting-peer.ts";

/** The accounts of ACCOUNTS below, by what they are for. */
export const ACCOUNT = {
  admin: { accessKey: "admin-account", secretKey: "s3cret-of-admin" },
  broker: { accessKey: "broker-account", secretKey: "s3cret-of-broker" },
  app: { accessKey: "app-account", secretKey: "s3cret-of-app" },
  reader: { accessKey: "reader-account", secretKey: "s3cret-of-reader" },
  wrong: { accessKey: "app-account", secretKey: "not-its-secret" },
} as const satisfies Readonly<Record<string, AclCredentials>>;

export const ACCOUNTS = `accounts:
- accessKey: admin-account
  secretKey: s3cret-of-admin
  admin: true
- accessKey: broker-account
  secretKey: s3cret-of-broker
- accessKey: app-account
  secretKey: s3cret-of-app
  defaultTopicPerm: PUB|SUB
  defaultGroupPerm: SUB
  topicPerms:
  - ForbiddenTopic=DENY
- accessKey: reader-account
  secretKey: s3cret-of-reader
  defaultTopicPerm: SUB
  defaultGroupPerm: SUB
`;

/** @returns path of plain_acl.yml */
export function writeAccounts(home: string, text = ACCOUNTS, mode = 0o600): string {
  mkdirSync(join(home, "conf"), { recursive: true });
  const file = join(home, "conf", "plain_acl.yml");
  writeFileSync(file, text, { mode });
  return file;
}

/** Writes conf/tools.yml: what brokers and mqadmin sign with. */
export function writeTools(home: string, { accessKey, secretKey }: AclCredentials): void {
  mkdirSync(join(home, "conf"), { recursive: true });
  const text = `accessKey: ${accessKey}\nsecretKey: ${secretKey}\n`;
  writeFileSync(join(home, "conf", "tools.yml"), text, { mode: 0o600 });
}

/** @returns the request as the account's client would send it */
export function signed(request: PeerRequest, credentials: AclCredentials): PeerRequest {
  const ext = Object.entries(request.ext ?? {}).map(([k, v]) => [k, String(v)] as const);
  const body = request.body === undefined ? null : Buffer.from(request.body);
  const { extFields } = signRequest(
    { code: request.code, extFields: new Map(ext), body },
    credentials,
  );
  return { ...request, ext: Object.fromEntries(extFields ?? []) };
}
