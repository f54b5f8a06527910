/** Calls the broker passes on, with members that answer, are silent, too old or gone. */
import { describe, expect, it } from "vitest";
import { EngineError } from "../../../../../engine/base/engine-error.ts";
import type {
  BrokerContext,
  ClientConnection,
} from "../../../../../engine/broker/broker-context.ts";
import {
  createConsumeDirectlyProcessor,
  createConsumerStatusProcessor,
  createRunningInfoProcessor,
} from "../../../../../engine/broker/processors/client-calls.ts";
import type {
  RemotingCommand,
  RequestCommand,
  ResponseCommand,
} from "../../../../../engine/remoting/command.ts";
import type { Processor, RequestContext } from "../../../../../engine/remoting/processor.ts";

type Answer = Partial<ResponseCommand> | Error;

function member(clientId: string, version: number, answer: Answer, seen: RequestCommand[] = []) {
  const invoke = (request: RequestCommand) => {
    seen.push(request);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { clientId, version, channel: { invoke } } as unknown as ClientConnection;
}

function contextOf(members: readonly ClientConnection[], record: Buffer | null = null) {
  return {
    config: { brokerName: "broker-a" },
    store: { recordAt: () => (record === null ? null : { bytes: record }) },
    clients: {
      findConsumer: (_group: string, id: string) => members.find((one) => one.clientId === id),
      consumerGroup: () => (members.length === 0 ? undefined : { members }),
    },
  } as unknown as BrokerContext;
}

async function ask(processor: Processor, code: number, ext: Record<string, string>) {
  const request = { code, extFields: new Map(Object.entries(ext)), body: null };
  return processor(request as unknown as RemotingCommand, {} as RequestContext);
}

const TIMEOUT = new EngineError("REMOTING_TIMEOUT", { message: "no answer" });
const CLOSED = new EngineError("REMOTING_CONNECTION_CLOSED", { message: "closed" });
const RUNNING = { consumerGroup: "CG", clientId: "id1" };
const MSG_ID = "7F00000100002A9F0000000000000064";

describe("calls passed on to a consumer", () => {
  it("307 hands request and answer through unchanged", async () => {
    const seen: RequestCommand[] = [];
    const body = Buffer.from("{}");
    const context = contextOf([member("id1", 393, { code: 0, remark: "r", body }, seen)]);
    const ext = { ...RUNNING, jstackEnable: "true" };
    const answer = await ask(createRunningInfoProcessor(context), 307, ext);
    expect(answer).toMatchObject({ code: 0, remark: "r", body });
    expect(seen).toMatchObject([{ code: 307 }]);
    expect(Object.fromEntries(seen[0]?.extFields ?? [])).toEqual(ext);
  });

  it("what an administrator signed with is not passed on: it could be bent to another request (E-05)", async () => {
    const credentials = { AccessKey: "admin", Signature: "s", SecurityToken: "t" };
    const seen: RequestCommand[] = [];
    const context = contextOf([member("id1", 393, { code: 0 }, seen)], Buffer.from("record"));
    await ask(createRunningInfoProcessor(context), 307, { ...RUNNING, ...credentials });
    const direct = { ...RUNNING, msgId: MSG_ID, ...credentials };
    await ask(createConsumeDirectlyProcessor(context), 309, direct);
    const names = seen.flatMap(({ extFields }) => [...(extFields?.keys() ?? [])]);
    expect(names.filter((name) => name in credentials)).toEqual([]);
    expect(names).toContain("clientId");
  });

  it.each([
    ["nobody", [], 1, /^The Consumer <CG> <id1> not online$/],
    ["an old client", [member("id1", 61, {})], 1, /Version <61> too low to finish/],
    [
      "a silent one",
      [member("id1", 393, TIMEOUT)],
      207,
      /^consumer <CG> <id1> Timeout: no answer$/,
    ],
    [
      "a lost one",
      [member("id1", 393, CLOSED)],
      1,
      /^invoke consumer <CG> <id1> Exception: closed$/,
    ],
  ])("307 to %s", async (_who, members, code, remark) => {
    const answer = await ask(createRunningInfoProcessor(contextOf(members)), 307, RUNNING);
    expect(answer?.code).toBe(code);
    expect(answer?.remark).toMatch(remark);
  });

  it("309 gives the client the stored record and this broker's name", async () => {
    const seen: RequestCommand[] = [];
    const record = Buffer.from("record");
    const context = contextOf([member("id1", 393, { code: 0 }, seen)], record);
    const ext = { ...RUNNING, msgId: MSG_ID, brokerName: "another" };
    expect(await ask(createConsumeDirectlyProcessor(context), 309, ext)).toMatchObject({ code: 0 });
    expect(seen[0]?.body).toEqual(record);
    expect(seen[0]?.extFields?.get("brokerName")).toBe("broker-a");
  });

  it("309 refuses an id that is none, a message that is not there, and a missing client", async () => {
    const processor = createConsumeDirectlyProcessor(contextOf([]));
    await expect(ask(processor, 309, { ...RUNNING, msgId: "x" })).rejects.toThrow(
      "is no offset message id",
    );
    await expect(ask(processor, 309, RUNNING)).rejects.toThrow("is no offset message id");
    expect(await ask(processor, 309, { ...RUNNING, msgId: MSG_ID })).toMatchObject({
      code: 1,
      remark: "can not find message by the offset, 100",
    });
    const found = createConsumeDirectlyProcessor(contextOf([], Buffer.from("r")));
    expect(await ask(found, 309, { consumerGroup: "CG", msgId: MSG_ID })).toMatchObject({
      code: 1,
      remark: "The Consumer <CG> <null> not online",
    });
  });

  it("223 collects every member's offsets and leaves silent ones out", async () => {
    const table = '{"brokerName":"b","queueId":0,"topic":"T"}:5';
    const body = Buffer.from(`{"consumerTable":{},"messageQueueTable":{${table}}}`);
    const members = [
      member("id1", 393, { code: 0, body }),
      member("id2", 393, TIMEOUT),
      member("id3", 393, { code: 0, body }),
    ];
    const processor = createConsumerStatusProcessor(contextOf(members));
    const all = await ask(processor, 223, { topic: "T", group: "CG" });
    expect(all?.body?.toString()).toBe(
      `{"consumerTable":{"id1":{${table}},"id3":{${table}}},"messageQueueTable":{}}`,
    );
    const one = await ask(processor, 223, { topic: "T", group: "CG", clientAddr: "id3" });
    expect(one?.body?.toString()).toBe(
      `{"consumerTable":{"id3":{${table}}},"messageQueueTable":{}}`,
    );
  });

  it("223 refuses a group nobody is in, and one with a client too old to be asked", async () => {
    const ext = { topic: "T", group: "CG" };
    expect(await ask(createConsumerStatusProcessor(contextOf([])), 223, ext)).toMatchObject({
      code: 1,
    });
    const old = createConsumerStatusProcessor(contextOf([member("id1", 27, {})]));
    expect((await ask(old, 223, ext))?.remark).toBe(
      "the client does not support this feature. version=27",
    );
  });
});
