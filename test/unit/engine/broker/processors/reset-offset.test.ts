/** What members of a group are told when an administrator moves their offsets (222, as 220). */
import { describe, expect, it } from "vitest";
import type {
  BrokerContext,
  ClientConnection,
} from "../../../../../engine/broker/broker-context.ts";
import { createResetOffsetProcessor } from "../../../../../engine/broker/processors/reset-offset.ts";
import { LANGUAGE_CPP, LANGUAGE_JAVA } from "../../../../../engine/remoting/command.ts";
import type { RemotingCommand, RequestCommand } from "../../../../../engine/remoting/command.ts";
import type { RequestContext } from "../../../../../engine/remoting/processor.ts";
import { brokerFixture, type BrokerFixture } from "../broker-fixture.ts";

const EXT = { topic: "T", group: "CG", timestamp: "-1", isForce: "true" };

/** Two queues of T consumed to 3 and 4, both ending at 9. @returns how to ask, and what members were told */
function scene(fixture: BrokerFixture, versions: readonly number[]) {
  const told: RequestCommand[] = [];
  const members = versions.map(
    (version) =>
      ({
        version,
        channel: { sendOneway: (request: RequestCommand) => told.push(request) },
      }) as unknown as ClientConnection,
  );
  const { context, store } = fixture;
  store.maxOffset = 9;
  context.topics.ensure("T", 2, 6);
  context.offsets.commit("CG", "T", 0, 3);
  context.offsets.commit("CG", "T", 1, 4);
  const clients = { consumerGroup: () => (members.length === 0 ? undefined : { members }) };
  const processor = createResetOffsetProcessor({ ...context, clients } as unknown as BrokerContext);
  const ask = async (language: number, ext: Partial<typeof EXT> = {}) => {
    const extFields = new Map(Object.entries({ ...EXT, ...ext }));
    const request = { code: 222, language, extFields, body: null } as unknown as RemotingCommand;
    return processor(request, {} as RequestContext);
  };
  return { ask, told };
}

const JAVA_TABLE =
  '{"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"T"}:9,{"brokerName":"broker-a","queueId":1,"topic":"T"}:9}}';

describe("INVOKE_BROKER_TO_RESET_OFFSET", () => {
  it("tells every member the new offsets, and commits nothing itself", async () => {
    using fixture = brokerFixture();
    const { ask, told } = scene(fixture, [393, 393]);
    expect((await ask(LANGUAGE_JAVA))?.body?.toString()).toBe(JAVA_TABLE);
    expect(told.map(({ code, body }) => [code, body?.toString()])).toEqual([
      [220, JAVA_TABLE],
      [220, JAVA_TABLE],
    ]);
    expect(Object.fromEntries(told[0]?.extFields ?? [])).toEqual(EXT);
    expect(fixture.context.offsets.query("CG", "T", 0)).toBe(3);
  });

  it("tells members a list when a C++ tool asks", async () => {
    using fixture = brokerFixture();
    const { ask, told } = scene(fixture, [393]);
    expect((await ask(LANGUAGE_CPP))?.body?.toString()).toBe(JAVA_TABLE);
    expect(told[0]?.body?.toString()).toBe(
      '{"offsetTable":[{"brokerName":"broker-a","offset":9,"queueId":0,"topic":"T"},{"brokerName":"broker-a","offset":9,"queueId":1,"topic":"T"}]}',
    );
  });

  it("never moves an offset forward unless forced", async () => {
    using fixture = brokerFixture();
    const { ask } = scene(fixture, [393]);
    expect((await ask(LANGUAGE_JAVA, { isForce: "false" }))?.body?.toString()).toContain("}:3,");
  });

  it("refuses when a member is too old to be told, or nobody is there", async () => {
    using fixture = brokerFixture();
    const old = scene(fixture, [393, 27]);
    expect(await old.ask(LANGUAGE_JAVA)).toMatchObject({
      code: 1,
      remark: "the client does not support this feature. version=27",
    });
    expect(old.told).toEqual([]);
    expect(await scene(fixture, []).ask(LANGUAGE_JAVA)).toMatchObject({ code: 206 });
  });
});
