import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLogger } from "../../../../engine/base/logger.ts";
import { loadBrokerConfig } from "../../../../engine/broker/broker-config.ts";
import { Registration, type MasterAddresses } from "../../../../engine/broker/registration.ts";
import { decodeRegisterBroker } from "../../../../engine/remoting/bodies/register-broker.ts";
import type { RemotingCommand, RequestCommand } from "../../../../engine/remoting/command.ts";
import { REQUEST_CODE } from "../../../../engine/remoting/request-codes.ts";
import type { RemotingClient } from "../../../../engine/remoting/server-api.ts";

type Answer = {
  readonly ext?: Record<string, string>;
  readonly code?: number;
  readonly body?: string;
};

/** Name servers as the test wants them: an answer, or an error while they are down. */
class NameServers implements RemotingClient {
  readonly requests: { readonly address: string; readonly request: RequestCommand }[] = [];
  readonly answers = new Map<string, Answer | Error>();

  async invoke(address: string, request: RequestCommand): Promise<RemotingCommand> {
    this.requests.push({ address, request });
    const answer = this.answers.get(address) ?? {};
    if (answer instanceof Error) throw answer;
    return {
      code: answer.code ?? 0,
      language: 0,
      version: 393,
      opaque: 0,
      flag: 1,
      remark: null,
      extFields: new Map(Object.entries(answer.ext ?? {})),
      body: answer.body === undefined ? null : Buffer.from(answer.body),
      serializeType: 0,
    };
  }

  async sendOneway(): Promise<void> {}
  disconnect(): void {}
  close(): void {}

  count(code: number): number {
    return this.requests.filter(({ request }) => request.code === code).length;
  }
}

const A = "10.0.0.1:9876";
const B = "10.0.0.2:9876";
const registered = (servers: NameServers) => servers.count(REQUEST_CODE.REGISTER_BROKER);

function setUp(
  properties: Readonly<Record<string, string>> = {},
  addresses: readonly string[] = [A],
) {
  const all = { brokerName: "broker-a", brokerIP1: "10.0.0.9", ...properties };
  const entries = Object.entries(all).map(([key, value], i) => ({ key, value, line: i + 1 }));
  const { config } = loadBrokerConfig([{ name: "test", entries }], {
    home: "/nowhere",
    hostName: "h",
    localAddress: "10.0.0.9",
    namesrvAddr: "",
    rocketmqHome: "",
    cpus: 1,
  });
  const servers = new NameServers();
  const lines: string[] = [];
  const masters: MasterAddresses[] = [];
  const ordered: string[][] = [];
  const registration = new Registration({
    config,
    namesrvAddresses: addresses,
    brokerAddr: "10.0.0.9:10911",
    haServerAddr: "10.0.0.9:10912",
    remoting: servers,
    logger: createLogger("test", "info", (line) => void lines.push(line)),
    table: () => ({
      dataVersion: { counter: 3, timestamp: 9 },
      topics: [
        {
          topicName: "T",
          readQueueNums: 4,
          writeQueueNums: 4,
          perm: 7,
          topicFilterType: "SINGLE_TAG",
          topicSysFlag: 0,
          order: false,
        },
      ],
    }),
    onMaster: (master) => void masters.push(master),
    onOrderedTopics: (topics) => void ordered.push([...topics]),
  });
  return { registration, servers, lines, masters, ordered };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("Registration", () => {
  it("3.2: says who it is, with the whole table and its checksum, to every name server", async () => {
    const { registration, servers } = setUp({ advertisedAddresses: "10.0.0.0/8=10.0.0.9:1" }, [
      A,
      B,
    ]);
    await registration.start();
    expect(servers.requests.map(({ address }) => address)).toEqual([A, B]);
    const { extFields, body } = servers.requests[0]?.request ?? {};
    expect(Object.fromEntries(extFields ?? [])).toEqual({
      brokerName: "broker-a",
      brokerAddr: "10.0.0.9:10911",
      clusterName: "DefaultCluster",
      brokerId: "0",
      haServerAddr: "10.0.0.9:10912",
      compressed: "false",
      bodyCrc32: expect.stringMatching(/^\d+$/),
      advertisedAddresses: "10.0.0.0/8=10.0.0.9:1",
    });
    const { table } = decodeRegisterBroker(body ?? null, false);
    expect(table.dataVersion.counter).toBe(3);
    expect(table.topics.map((topic) => [topic.topicName, topic.perm])).toEqual([["T", 7]]);
    await registration.stop();
  });

  it("3.2: registers every topic with the broker's permission when that is not read and write", async () => {
    const { registration, servers } = setUp({ brokerPermission: "4" });
    await registration.start();
    const { table } = decodeRegisterBroker(servers.requests[0]?.request.body ?? null, false);
    expect(table.topics[0]?.perm).toBe(4);
    await registration.stop();
  });

  it("a change was told when the registration built after it was answered; one in flight does not count", async () => {
    const { registration, servers } = setUp();
    await registration.start();
    registration.soon();
    const told = vi.fn<() => void>();
    void registration.told().then(told);
    await vi.advanceTimersByTimeAsync(19);
    expect([registered(servers), told.mock.calls.length]).toEqual([1, 0]);
    await vi.advanceTimersByTimeAsync(1);
    expect([registered(servers), told.mock.calls.length]).toEqual([2, 1]);
    await registration.told();
    await registration.stop();
  });

  it("nobody waits for a name server that is down: told ends with its failure", async () => {
    const { registration, servers } = setUp({}, [A, B]);
    servers.answers.set(B, new Error("connection refused"));
    await registration.start();
    registration.soon();
    const told = vi.fn<() => void>();
    void registration.told().then(told);
    await vi.advanceTimersByTimeAsync(20);
    expect(told).toHaveBeenCalledOnce();
    await registration.stop();
  });

  it("registers every period, and many changes at once as one", async () => {
    const { registration, servers } = setUp();
    await registration.start();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(registered(servers)).toBe(2);
    for (let i = 0; i < 50; i += 1) registration.soon();
    await vi.advanceTimersByTimeAsync(20);
    expect(registered(servers)).toBe(3);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(registered(servers)).toBe(3);
    await registration.stop();
  });

  it("tries on for ever with growing pauses, says so once, and says when it is back", async () => {
    const { registration, servers, lines } = setUp();
    servers.answers.set(A, new Error("connection refused"));
    await registration.start();
    await vi.advanceTimersByTimeAsync(60_000);
    const tries = registered(servers);
    expect(tries).toBeGreaterThan(6);
    expect(tries).toBeLessThan(14);
    expect(lines.filter((line) => line.includes("cannot register"))).toHaveLength(1);
    servers.answers.delete(A);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(lines.at(-1)).toContain("registered with a name server");
    await vi.advanceTimersByTimeAsync(25_000);
    expect(lines).toHaveLength(2);
    await registration.stop();
  });

  it("a name server whose connection broke is asked half a second later, not after the period; others are left alone", async () => {
    const { registration, servers } = setUp({}, [A, B]);
    await registration.start();
    registration.lost(B);
    registration.lost("10.0.0.7:10911");
    await vi.advanceTimersByTimeAsync(499);
    expect(registered(servers)).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(servers.requests.slice(2).map(({ address }) => address)).toEqual([B]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(registered(servers)).toBe(3);
    registration.soon();
    registration.lost(A);
    await vi.advanceTimersByTimeAsync(20);
    expect(registered(servers)).toBe(5);
    await registration.stop();
    registration.lost(A);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(registered(servers)).toBe(5);
  });

  it("leaves only the name servers that took it", async () => {
    const { registration, servers } = setUp({}, [A, B]);
    servers.answers.set(B, { code: 1 });
    await registration.start();
    await registration.stop();
    const left = servers.requests.filter(
      ({ request }) => request.code === REQUEST_CODE.UNREGISTER_BROKER,
    );
    expect(left.map(({ address }) => address)).toEqual([A]);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(registered(servers)).toBe(2);
  });

  it("7.1: tells a slave its master when an answer names one, and when it moved or went", async () => {
    const { registration, servers, masters } = setUp({ brokerRole: "SLAVE", brokerId: "1" }, [
      A,
      B,
    ]);
    const master = { masterAddr: "10.0.0.5:10911", haServerAddr: "10.0.0.5:10912" };
    servers.answers.set(A, new Error("down"));
    servers.answers.set(B, { ext: master });
    await registration.start();
    expect(masters).toEqual([master]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(masters).toHaveLength(1);
    servers.answers.set(B, {});
    await vi.advanceTimersByTimeAsync(30_000);
    expect(masters.at(-1)).toEqual({ masterAddr: null, haServerAddr: null });
    await registration.stop();
  });

  it("3.2: passes on which topics are ordered, only when the name server has such a list", async () => {
    const { registration, servers, ordered } = setUp({}, [A, B]);
    servers.answers.set(A, { body: '{"table":{"topicX":"broker-a:4"}}' });
    await registration.start();
    expect(ordered).toEqual([["topicX"]]);
    await registration.stop();
  });
});
