/** What administrators change in plain_acl.yml: requests 50, 51 and 53 (remoting-protocol 6.1), with 4.9's merging. */
import { EngineError } from "../base/engine-error.ts";
import { parseRight, type AclAccountSettings } from "./acl-account.ts";
import type { AclDocument } from "./acl-document.ts";

function refuse(message: string): never {
  throw new EngineError("ACL_UPDATE_REFUSED", { message });
}

/** What an administrator says of an account; what is missing stays as it was. */
export type AccountChange = { readonly accessKey: string } & {
  readonly [Name in Exclude<keyof AclAccountSettings, "accessKey">]?:
    | AclAccountSettings[Name]
    | undefined;
};

/** In the file a word nobody knows is read as DENY; asked for by a request it is refused, as in 4.9. */
function checkPerms(perms: readonly string[]): void {
  for (const text of perms) {
    const [name, word, ...more] = text.split("=");
    if (name === undefined || name.trim() === "" || word === undefined || more.length > 0) {
      refuse(
        `Parse Resource format error for ${text}.\nThe expected resource format is 'Res=Perm'. For example: topicA=SUB`,
      );
    }
    if (parseRight(word) === null) {
      refuse(
        `Parse resource permission error for ${text}.\nThe expected permissions are 'SUB' or 'PUB' or 'SUB|PUB' or 'PUB|SUB'.`,
      );
    }
  }
}

/** A text or list that is empty or missing keeps what the account had. */
function given<Value extends string | readonly string[]>(
  value: Value | undefined,
  before: Value | undefined,
): Value | undefined {
  return value === undefined || value.length === 0 ? before : value;
}

/** @returns the document with the account made or changed */
export function withAccount(document: AclDocument, change: AccountChange): AclDocument {
  checkPerms([...(change.topicPerms ?? []), ...(change.groupPerms ?? [])]);
  const before = document.accounts.find(({ accessKey }) => accessKey === change.accessKey);
  const account: AclAccountSettings = {
    accessKey: change.accessKey,
    secretKey: given(change.secretKey, before?.secretKey) ?? "",
    whiteRemoteAddress: given(change.whiteRemoteAddress, before?.whiteRemoteAddress),
    // As 4.9: not said is false, also for an account that was an administrator.
    admin: change.admin ?? false,
    defaultTopicPerm: given(change.defaultTopicPerm, before?.defaultTopicPerm),
    defaultGroupPerm: given(change.defaultGroupPerm, before?.defaultGroupPerm),
    topicPerms: given(change.topicPerms, before?.topicPerms),
    groupPerms: given(change.groupPerms, before?.groupPerms),
  };
  const others = document.accounts.filter(({ accessKey }) => accessKey !== change.accessKey);
  return { ...document, accounts: [...others, account] };
}

/** @returns the document without the account @throws EngineError ACL_UPDATE_REFUSED when there is none */
export function withoutAccount(document: AclDocument, accessKey: string): AclDocument {
  const accounts = document.accounts.filter((account) => account.accessKey !== accessKey);
  if (accounts.length === document.accounts.length) refuse(`there is no account ${accessKey}`);
  return { ...document, accounts };
}
