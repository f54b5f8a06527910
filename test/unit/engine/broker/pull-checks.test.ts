/** The refusals of remoting-protocol 4.2.2 that need a broker or a group set up in a special way. */
import { describe, expect, it } from "vitest";
import { PullChecks } from "../../../../engine/broker/pull-checks.ts";
import { parseTagExpression, TagFilterCache } from "../../../../engine/broker/tag-filter.ts";
import { brokerFixture } from "./broker-fixture.ts";

const header = {
  consumerGroup: "CG",
  topic: "Pulled",
  queueId: 0,
  queueOffset: 0,
  maxMsgNums: 32,
  sysFlag: 4,
  commitOffset: 0,
  suspendTimeoutMillis: 0,
  subVersion: 0,
  subscription: "*",
};

describe("PullChecks", () => {
  it("1: a broker without read permission answers 16", () => {
    using fixture = brokerFixture("brokerPermission=2\n");
    expect(new PullChecks(fixture.context).admit(header, "c")).toEqual({
      code: 16,
      remark: "the broker[127.0.0.1] pulling message is forbidden",
    });
  });

  it("2: an unknown group answers 26 when groups are not made by themselves", () => {
    using fixture = brokerFixture("autoCreateSubscriptionGroup=false\n");
    fixture.context.topics.ensure("Pulled", 1, 6);
    const checks = new PullChecks(fixture.context);
    expect(checks.admit(header, "c")).toMatchObject({
      code: 26,
      remark: expect.stringMatching(/^subscription group \[CG\] does not exist/),
    });
    // Built-in groups always exist (4.0).
    expect(checks.admit({ ...header, consumerGroup: "TOOLS_CONSUMER" }, "c")).toMatchObject({
      filter: null,
    });
  });

  it("R-03: an illegal group makes nothing", () => {
    using fixture = brokerFixture();
    const before = fixture.context.groups.all().length;
    const answer = new PullChecks(fixture.context).admit({ ...header, consumerGroup: "a/b" }, "c");
    expect(answer).toMatchObject({ code: 1 });
    expect(fixture.context.groups.all()).toHaveLength(before);
  });
});

describe("tag expressions", () => {
  it("4.2.7: everything, or tags trimmed between bars", () => {
    expect(parseTagExpression("*")).toEqual([]);
    expect(parseTagExpression("  ")).toEqual([]);
    expect(parseTagExpression(" TagA||TagB  ||  TagC ")).toEqual(["TagA", "TagB", "TagC"]);
  });

  it("R-20: refuses what is too long, has too many tags, or none", () => {
    expect(parseTagExpression("||")).toBeNull();
    expect(parseTagExpression("t".repeat(4_097))).toBeNull();
    const many = (count: number) => Array.from({ length: count }, (_, n) => `t${n}`).join("||");
    expect(parseTagExpression(many(256))).toHaveLength(256);
    expect(parseTagExpression(many(257))).toBeNull();
  });

  it("remembers what it parsed, within bounds, refusals included", () => {
    const cache = new TagFilterCache();
    const first = cache.filterOf("TagA");
    expect(cache.filterOf("TagA")).toBe(first);
    expect(first?.matchesTagsCode(2_598_919)).toBe(true);
    expect(first?.matchesTagsCode(2_598_920)).toBe(false);
    expect(cache.filterOf("*")).toBeNull();
    expect(cache.filterOf("||")).toBeUndefined();
    for (let n = 0; n < 2_000; n += 1) cache.filterOf(`T${n}`);
    expect(cache.filterOf("TagA")).not.toBe(first);
  });
});
