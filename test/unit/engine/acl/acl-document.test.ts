import { describe, expect, it } from "vitest";
import { RIGHT } from "../../../../engine/acl/acl-account.ts";
import { parseAclDocument, renderAclDocument } from "../../../../engine/acl/acl-document.ts";
import { withAccount, withoutAccount } from "../../../../engine/acl/acl-updates.ts";

const FILE = `globalWhiteRemoteAddresses:
- 127.0.0.*
accounts:
- accessKey: producer-1
  secretKey: s3cret-of-1
  whiteRemoteAddress: 127.0.0.{1,2}
  defaultTopicPerm: PUB
  topicPerms:
  - closed=DENY
  - both=PUB|SUB
  groupPerms:
  - group-1=SUB
- accessKey: '12345678901'
  secretKey: s3cret-of-2
  admin: true
dataVersion:
- counter: 4
  timestamp: 1795361875409
`;

const load = (text: string) => parseAclDocument(text, "plain_acl.yml");
const problems = (text: string): string => {
  try {
    load(text);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};
const account = (lines: string): string =>
  `accounts:\n- accessKey: producer-1\n  secretKey: s3cret-of-1\n${lines}`;

describe("plain_acl.yml", () => {
  it("gives rights by entry, else by the default of the kind, and DENY wins", () => {
    const producer = load(FILE).rules.accounts.get("producer-1");
    expect(producer?.may("any", RIGHT.PUB)).toBe(true);
    expect(producer?.may("any", RIGHT.SUB)).toBe(false);
    expect(producer?.may("closed", RIGHT.PUB)).toBe(false);
    expect(producer?.may("both", RIGHT.SUB)).toBe(true);
    expect(producer?.may("%RETRY%group-1", RIGHT.SUB)).toBe(true);
    expect(producer?.may("%RETRY%group-2", RIGHT.SUB)).toBe(false);
    expect(producer?.addresses?.("127.0.0.2")).toBe(true);
    expect(producer?.addresses?.("127.0.0.3")).toBe(false);
  });

  it("an administrator without entries may do everything, one with entries what they say", () => {
    const { accounts } = load(FILE).rules;
    expect(accounts.get("12345678901")?.may("any", RIGHT.SUB)).toBe(true);
    const limited = load(account("  admin: true\n  topicPerms:\n  - a=PUB\n")).rules.accounts;
    expect(limited.get("producer-1")?.may("a", RIGHT.PUB)).toBe(true);
    expect(limited.get("producer-1")?.may("b", RIGHT.PUB)).toBe(false);
  });

  it("what is written reads back the same, and a second time byte for byte", () => {
    const { document } = load(FILE);
    const text = renderAclDocument(document);
    expect(load(text).document).toEqual(document);
    expect(renderAclDocument(load(text).document)).toBe(text);
    expect(document.version).toEqual({ counter: 4, timestamp: 1_795_361_875_409 });
  });

  it.each([
    ["accouts:\n- x\n", "plain_acl.yml:2: the file has no key accouts"],
    ["accounts: text\n", "plain_acl.yml:1: accounts must be a list"],
    [account("  topicPerm:\n  - a=PUB\n"), "plain_acl.yml:5: an account has no key topicPerm"],
    [account("  admin: yes\n"), "plain_acl.yml:4: admin must be true or false"],
    [account("  topicPerms:\n  - aPUB\n"), "plain_acl.yml:5: a permission is written NAME=PERM"],
    [account("  whiteRemoteAddress: 10.0.0.300\n"), 'plain_acl.yml:4: "10.0.0.300" is no address'],
    ["globalWhiteRemoteAddresses:\n- 1.2.3\n", 'plain_acl.yml:2: "1.2.3" is no address pattern'],
    ["accounts:\n- accessKey: short\n  secretKey: longenough1\n", "2: accessKey is missing or has"],
    ["accounts:\n- accessKey: producer-1\n", "2: secretKey is missing or has fewer than 7"],
    ["accounts:\n- accessKey: rocketmq2\n  secretKey: 12345678\n", "one everybody knows (E-11)"],
    ["accounts:\n- accessKey: myaccount\n  secretKey: MyAccount\n", "one everybody knows (E-11)"],
    [
      "accounts:\n- accessKey: producer-1\n  secretKey: 012345671\n",
      "3: secretKey would be read as",
    ],
    [
      "accounts:\n- accessKey: 1234567.5\n  secretKey: 2026-11-28\n",
      "2: accessKey would be read as",
    ],
    [
      `${account("")}- accessKey: producer-1\n  secretKey: another-one\n`,
      "4: account producer-1 stands here twice",
    ],
  ])("refuses %j", (text, expected) => {
    expect(problems(text)).toContain(expected);
  });

  it("names all problems at once", () => {
    expect(problems(account("  admin: 1\n  topicPerms:\n  - x\n")).split("\n")).toHaveLength(2);
  });

  it("a permission word nobody knows counts as DENY and is said, as 4.9 reads it", () => {
    const { rules, notices } = load(account("  defaultTopicPerm: PUP\n"));
    expect(rules.accounts.get("producer-1")?.may("a", RIGHT.PUB)).toBe(false);
    expect(notices).toEqual([
      'plain_acl.yml:4: "PUP" is none of DENY, PUB, SUB, PUB|SUB and counts as DENY',
    ]);
  });
});

describe("changes by administrators", () => {
  const { document } = load(FILE);

  it("keep what is not said, but for admin, as in 4.9", () => {
    const changed = withAccount(document, {
      accessKey: "12345678901",
      secretKey: "",
      defaultTopicPerm: "SUB",
    });
    expect(changed.accounts.at(-1)).toEqual({
      accessKey: "12345678901",
      secretKey: "s3cret-of-2",
      admin: false,
      defaultTopicPerm: "SUB",
    });
  });

  it("make a new account and take one away", () => {
    const more = withAccount(document, { accessKey: "reader-01", secretKey: "s3cret-of-3" });
    expect(more.accounts.map(({ accessKey }) => accessKey)).toEqual([
      "producer-1",
      "12345678901",
      "reader-01",
    ]);
    expect(withoutAccount(more, "producer-1").accounts).toHaveLength(2);
    expect(() => withoutAccount(more, "nobody-1")).toThrow(/no account nobody-1/);
  });

  it.each(["topicA", "topicA=PUP", "a=PUB=SUB"])("refuse the permission %s", (perm) => {
    const change = { accessKey: "producer-1", topicPerms: [perm] };
    expect(() => withAccount(document, change)).toThrow(/Parse [Rr]esource/);
  });
});
