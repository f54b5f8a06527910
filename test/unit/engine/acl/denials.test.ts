import { describe, expect, it } from "vitest";
import { Denials } from "../../../../engine/acl/denials.ts";
import { createLogger } from "../../../../engine/base/logger.ts";

function denials() {
  const lines: string[] = [];
  const clock = { ms: 0 };
  const logger = createLogger("acl", "info", (line) => void lines.push(line));
  const counted = new Denials(logger, () => clock.ms);
  const fail = (peer = "192.0.2.1", accessKey: string | undefined = "key-one"): number =>
    counted.note({ peer, accessKey, code: 10, reason: "Check signature failed" });
  return { fail, lines, clock };
}

describe("refused requests (E-06)", () => {
  it("the eleventh within a minute and every further one waits a second, others do not", () => {
    const { fail, clock } = denials();
    expect(Array.from({ length: 12 }, () => fail())).toEqual([
      ...Array<number>(10).fill(0),
      1_000,
      1_000,
    ]);
    expect(fail("192.0.2.2")).toBe(0);
    clock.ms += 60_000;
    expect(fail()).toBe(0);
  });

  it("says one line per peer and ten seconds, with the counts of peer and key (F-35)", () => {
    const { fail, lines, clock } = denials();
    for (let i = 0; i < 5; i += 1) fail();
    fail("192.0.2.1", "key-two");
    fail("192.0.2.2");
    expect(lines).toHaveLength(2);
    clock.ms += 10_000;
    fail();
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatch(/peer=192\.0\.2\.1 key=key-one code=10 .*failures=7 failuresOfKey=6/);
  });

  it("forgets the oldest peers, so that addresses cost no memory", () => {
    const { fail } = denials();
    for (let i = 0; i < 11; i += 1) fail();
    for (let i = 0; i < 10_000; i += 1) fail(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    expect(fail()).toBe(0);
  });
});
