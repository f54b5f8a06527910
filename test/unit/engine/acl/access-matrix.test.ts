/** G16: every request code of brokers and name servers × seven callers. A refusal reaches no processor. */
import { describe, expect, it } from "vitest";
import { AccessControl, type AclMode } from "../../../../engine/acl/access-control.ts";
import type { AccessRules } from "../../../../engine/acl/access-rule.ts";
import { parseAclDocument } from "../../../../engine/acl/acl-document.ts";
import { signRequest } from "../../../../engine/acl/request-signature.ts";
import { createLogger } from "../../../../engine/base/logger.ts";
import { brokerAccessRules } from "../../../../engine/broker/access-rules.ts";
import { NAMESRV_ACCESS_RULES } from "../../../../engine/namesrv/access-rules.ts";
import type { Channel } from "../../../../engine/remoting/channel.ts";
import type { ResponseCommand } from "../../../../engine/remoting/command.ts";
import type { Processor } from "../../../../engine/remoting/processor.ts";
import type { MessageStore } from "../../../../engine/store/store-api.ts";

const ACL = `accounts:
- accessKey: nobody-at-all
  secretKey: secret-of-nobody
- accessKey: holder-of-rights
  secretKey: secret-of-holder
  topicPerms:
  - T=PUB|SUB
  groupPerms:
  - G=SUB
- accessKey: the-broker
  secretKey: secret-of-broker
- accessKey: the-admin
  secretKey: secret-of-admin
  admin: true
`;

/** Who asks, and with which secret; undefined = unsigned. */
const CALLERS = {
  "no key": undefined,
  "unknown key": ["somebody-else", "secret-of-nobody"],
  "bad signature": ["the-admin", "secret-of-nobody"],
  "no rights": ["nobody-at-all", "secret-of-nobody"],
  "the rights": ["holder-of-rights", "secret-of-holder"],
  broker: ["the-broker", "secret-of-broker"],
  admin: ["the-admin", "secret-of-admin"],
} as const;

type Kind = "account" | "peer" | "admin" | "rights";

/** Who may, by kind of rule, in the order of CALLERS. */
const ALLOWED: Readonly<Record<Kind, readonly boolean[]>> = {
  account: [false, false, false, true, true, true, true],
  rights: [false, false, false, false, true, false, true],
  peer: [false, false, false, false, false, true, true],
  admin: [false, false, false, false, false, false, true],
};

const BROKER: Readonly<Record<Kind, readonly number[]>> = {
  rights: [
    10, 11, 12, 14, 15, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 41, 42, 46, 202, 203, 208, 300, 303,
    308, 310, 320, 321, 324, 325, 351,
  ],
  account: [28, 305, 315, 317],
  peer: [21, 43, 45, 201, 30_001, 30_002],
  admin: [
    17, 25, 26, 50, 51, 52, 53, 200, 204, 207, 215, 222, 223, 301, 306, 307, 309, 314, 316, 323,
    328, 329, 352,
  ],
};

const NAMESRV: Readonly<Record<Kind, readonly number[]>> = {
  rights: [],
  account: [101, 105, 106, 206, 219, 224, 304, 311, 312, 313],
  peer: [103, 104, 322],
  admin: [100, 102, 205, 216, 318, 319, 327],
};

const TOPIC_AND_GROUP = { topic: "T", b: "T", consumerGroup: "G", group: "G" };
const subscription = '{"topic":"T","subString":"*"}';
/** Bodies of the requests that name their resources there. */
const BODIES: Readonly<Record<number, string>> = {
  34: `{"clientID":"c","consumerDataSet":[{"groupName":"G","subscriptionDataSet":[${subscription}]}],"producerDataSet":[]}`,
  41: '{"clientId":"c","consumerGroup":"G","mqSet":[]}',
  42: '{"clientId":"c","consumerGroup":"G","mqSet":[]}',
  46: `{"clientId":"c","group":"G","subscriptionData":${subscription}}`,
};

/** One record of topic T, as 33 and 37 find it. */
const STORED = (() => {
  const topic = Buffer.from("T");
  const bytes = Buffer.alloc(91 + topic.length);
  bytes.writeInt32BE(bytes.length, 0);
  bytes.writeInt32BE(-626843481, 4);
  bytes.writeUInt8(topic.length, 88);
  topic.copy(bytes, 89);
  return bytes;
})();
const store = {
  recordAt: (offset: number) => (offset === 0 ? { bytes: STORED } : null),
} as unknown as MessageStore;

function accessControl(rules: AccessRules, mode: AclMode = "strict", acl = ACL) {
  const lines: string[] = [];
  const loaded = parseAclDocument(acl, "plain_acl.yml").rules;
  let clock = 0;
  const control = new AccessControl({
    current: () => loaded,
    mode,
    rules,
    brokerAccessKey: "the-broker",
    logger: createLogger("acl", "info", (line) => void lines.push(line)),
    // An hour between requests: nobody is made to wait here.
    now: () => (clock += 3_600_000),
  });
  return { control, lines };
}

/** Asks with one code; `served` says whether a processor saw it. */
async function ask(
  control: AccessControl,
  code: number,
  caller: readonly [string, string] | undefined,
  changes: Readonly<Record<string, string>> = {},
): Promise<{ readonly served: boolean; readonly answer: ResponseCommand | null }> {
  let served = false;
  const processor: Processor = () => {
    served = true;
    return { code: 0 };
  };
  const guarded = control.guard({ processors: new Map([[code, processor]]) });
  const text = BODIES[code];
  const fields = { ...TOPIC_AND_GROUP, offset: "0", commitLogOffset: "0", ...changes };
  const bare = {
    code,
    extFields: new Map(Object.entries(fields)),
    body: text === undefined ? null : Buffer.from(text),
  };
  const signed =
    caller === undefined ? bare : signRequest(bare, { accessKey: caller[0], secretKey: caller[1] });
  const request = { language: 0, version: 393, opaque: 1, flag: 0, remark: null, body: bare.body };
  const channel = { remoteAddress: "192.0.2.7", remote: "192.0.2.7:1" } as unknown as Channel;
  const answer = await guarded.processors.get(code)?.(
    { ...request, code, extFields: signed.extFields ?? new Map(), serializeType: 0 },
    { channel, receivedAtMs: 0 },
  );
  return { served, answer: answer ?? null };
}

describe.each([
  ["broker", BROKER, brokerAccessRules(store)],
  ["name server", NAMESRV, NAMESRV_ACCESS_RULES],
])("access matrix of the %s", (_server, table, rules) => {
  const kinds = Object.entries(table) as [Kind, readonly number[]][];

  it("has exactly these codes", () => {
    const expected = kinds.flatMap(([, codes]) => codes).toSorted((a, b) => a - b);
    expect([...rules.keys()].toSorted((a, b) => a - b)).toEqual(expected);
  });

  const rows = kinds.flatMap(([kind, codes]) => codes.map((code) => [code, kind] as const));
  it.each(rows)("%i needs %s", async (code, kind) => {
    const { control } = accessControl(rules);
    const seen = [];
    for (const caller of Object.values(CALLERS)) {
      const { served, answer } = await ask(control, code, caller);
      seen.push(served);
      expect(answer?.code).toBe(served ? 0 : 16);
    }
    expect(seen).toEqual(ALLOWED[kind]);
  });

  it("a code without a rule is refused to the administrator too (E-01)", async () => {
    const { control } = accessControl(rules);
    const { served, answer } = await ask(control, 30_999, CALLERS.admin);
    expect(served).toBe(false);
    expect(answer).toEqual({ code: 16, remark: "No access rule for request code=30999" });
  });
});

describe("what a request needs in detail", () => {
  const rules = brokerAccessRules(store);
  const holder = CALLERS["the rights"];
  const may = async (code: number, changes: Readonly<Record<string, string>>): Promise<boolean> =>
    (await ask(accessControl(rules).control, code, holder, changes)).served;

  it("a batch needs PUB on its topic, a send to a retry topic SUB on the group (E-02)", async () => {
    expect(await may(320, { b: "other" })).toBe(false);
    expect(await may(310, { b: "%RETRY%G" })).toBe(true);
    expect(await may(310, { b: "%RETRY%other" })).toBe(false);
    expect(await may(10, { topic: "%DLQ%G" })).toBe(false);
  });

  it("a pull needs both topic and group", async () => {
    expect(await may(11, { consumerGroup: "other" })).toBe(false);
    expect(await may(11, { topic: "other" })).toBe(false);
  });

  it("a message that is not there needs nothing: its processor says so", async () => {
    expect(await may(33, { offset: "7" })).toBe(true);
  });

  it("a request that cannot be read is answered by its error and not served", async () => {
    await expect(may(310, { b: "" })).rejects.toThrow(/<b> is null/);
  });
});

describe("remarks, audit, white lists", () => {
  const rules = brokerAccessRules(store);

  it("refusals carry 4.9's text and nothing else (E-06)", async () => {
    const { control } = accessControl(rules);
    const remark = async (caller: readonly [string, string] | undefined, code = 10) =>
      (await ask(control, code, caller)).answer?.remark;
    expect(await remark(undefined)).toBe("No accessKey is configured");
    expect(await remark(CALLERS["unknown key"])).toBe("No acl config for somebody-else");
    expect(await remark(CALLERS["bad signature"])).toBe(
      "Check signature failed for accessKey=the-admin",
    );
    expect(await remark(CALLERS["no rights"])).toBe("No default permission for T");
    expect(await remark(CALLERS["the rights"], 17)).toBe(
      "Need admin permission for request code=17, but accessKey=holder-of-rights is not",
    );
  });

  it("an administrator's call leaves one audit line without secrets (E-07, E-08)", async () => {
    const { control, lines } = accessControl(rules);
    await ask(control, 50, CALLERS.admin, { accessKey: "new-account", secretKey: "very-secret" });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /acl\.audit administration peer=192\.0\.2\.7:1 key=the-admin code=50 arguments=.*accessKey=new-account,secretKey=\*\*\*\*.* result=0/,
    );
    expect(lines.join("")).not.toMatch(/very-secret|secret-of-admin|Signature/);
    await ask(control, 10, CALLERS.admin);
    expect(lines).toHaveLength(1);
  });

  it.each([
    ["strict", "192.0.2.*", true, false],
    ["strict", "198.51.100.*", false, false],
    ["compat", "192.0.2.*", true, true],
    ["compat", "198.51.100.*", true, false],
  ] as const)(
    "%s: the global list %s lets the signed in: %s, the unsigned: %s (E-03)",
    async (mode, list, signed, unsigned) => {
      const acl = `globalWhiteRemoteAddresses:\n- ${list}\n${ACL}`;
      const { control } = accessControl(rules, mode, acl);
      expect((await ask(control, 10, CALLERS["the rights"])).served).toBe(signed);
      expect((await ask(control, 10, undefined)).served).toBe(unsigned);
    },
  );

  it.each([
    ["strict", "192.0.2.7", "secret-of-holder", true],
    ["strict", "192.0.2.8", "secret-of-holder", false],
    ["strict", "192.0.2.7", "not the secret", false],
    ["compat", "192.0.2.7", "not the secret", true],
    ["compat", "192.0.2.8", "secret-of-holder", true],
  ] as const)("%s: the account's list %s with %s: %s", async (mode, list, secret, served) => {
    const acl = ACL.replace("secret-of-holder", `secret-of-holder\n  whiteRemoteAddress: ${list}`);
    const { control } = accessControl(rules, mode, acl);
    expect((await ask(control, 10, ["holder-of-rights", secret])).served).toBe(served);
  });
});
