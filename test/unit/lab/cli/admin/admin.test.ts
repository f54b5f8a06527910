/** `lab admin` by its command line, on a cluster of two brokers in this process. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient, createPushConsumer } from "../../../../../engine/client/index.ts";
import { EngineFixture, until } from "../../../../e2e/engine/engine-fixture.ts";
import { schemaProblems } from "../../../../helpers/json-schema.ts";
import { runCli, type CliRun } from "../run-cli.ts";

let engine: EngineFixture;

beforeAll(async () => {
  engine = new EngineFixture();
  await engine.startNamesrv();
  await engine.startBroker({ deleteWhen: "07" });
  await engine.startBroker({ brokerName: "broker-b" });
});

afterAll(() => engine[Symbol.asyncDispose]());

function admin(...words: readonly string[]): Promise<CliRun> {
  return runCli(["admin", ...words, "--namesrv", engine.namesrvAddr], {
    env: { LAB_HOME: "/nowhere" },
  });
}

/** A command that must succeed and print what its schema says. */
async function json<Document>(...words: readonly string[]): Promise<Document> {
  const run = await admin(...words, "--json");
  expect(run).toMatchObject({ code: 0 });
  expect(schemaProblems(run.stdout)).toBe("");
  return JSON.parse(run.stdout) as Document;
}

interface Sent {
  readonly sent: readonly {
    readonly msgId: string;
    readonly offsetMsgId: string;
    readonly broker: string;
    readonly queue: number;
    readonly offset: number;
  }[];
}
interface Found {
  readonly messages: readonly { readonly body: string; readonly msgId: string }[];
}
interface Offsets {
  readonly lag: number;
  readonly offsets: readonly {
    readonly broker: string;
    readonly queue: number;
    readonly consumerOffset: number;
  }[];
}

/** Consumes a topic to its end. */
async function consumeAll(group: string, topic: string, count: number): Promise<void> {
  const client = createClient({ namesrvAddrs: [engine.namesrvAddr] });
  try {
    let seen = 0;
    const consumer = createPushConsumer(client, {
      group,
      consumeFrom: "first",
      listener: (messages) => {
        seen += messages.length;
        return "success";
      },
    });
    consumer.subscribe(topic);
    await consumer.start();
    await until(`${count} messages`, () => seen === count);
  } finally {
    await client.close();
  }
}

describe("topics", () => {
  it("create, list, show and delete, with tables and documents", async () => {
    const made = await admin("topics", "create", "Orders", "--queues", "2");
    expect(made.stdout).toBe("Orders created: 2 queues on every master of DefaultCluster, rw\n");
    expect(await json("topics", "create", "Orders", "--queues", "3", "--perm", "r")).toMatchObject({
      created: false,
      queues: 3,
    });
    expect((await admin("topics")).stdout).toMatch(
      /^TOPIC +KIND +BROKER:QUEUES +PERM\nOrders +normal +broker-a:3 broker-b:3 +r-\n$/,
    );
    expect(JSON.stringify(await json("topics", "list", "--all"))).toContain(
      '"TBW102","kind":"system"',
    );
    expect(await json("topics", "show", "Orders")).toMatchObject({ messages: 0, groups: [] });
    expect(await json("topics", "delete", "Orders", "--yes")).toMatchObject({ deleted: true });
    expect((await admin("topics")).stdout).toContain("no topics of yours yet");
  });

  it("on one broker only", async () => {
    const line = ["topics", "create", "OnB", "--broker", "broker-b:0", "--queues", "1"];
    expect(await json(...line)).toMatchObject({ broker: "broker-b" });
    expect(await json("topics", "show", "OnB")).toMatchObject({
      brokers: [{ broker: "broker-b" }],
    });
  });

  it.each([
    [["topics", "delete", "SomeTopic"], 6, "there is no topic SomeTopic"],
    [["topics", "delete", "TBW102", "--yes"], 2, "belongs to RocketMQ itself"],
    [["topics", "delete", "OnB"], 2, "say --yes"],
    [["topics", "show", "OnC"], 6, "did you mean OnB?"],
    [["topics", "create", "a b"], 5, "illegal characters"],
    [["topics", "create", "X", "--broker", "a", "--cluster", "b"], 2, "exclude each other"],
    [
      ["topics", "create", "X", "--broker", "broker-c"],
      6,
      "did you mean broker-a:0 or broker-b:0?",
    ],
    [["topics", "create", "X", "--cluster", "Other"], 6, "it knows DefaultCluster"],
  ])("%j fails with %i and says why", async (words, code, part) => {
    const run = await admin(...words);
    expect(run.stderr).toContain(part);
    expect(run.code).toBe(code);
  });
});

describe("messages", () => {
  it("send, find by key, show by both ids, tail", async () => {
    await json("topics", "create", "Mail", "--queues", "1");
    const words = ["messages", "send", "--topic", "Mail", "--body", "hello", "--tag", "T"];
    const more = ["--key", "k1", "--property", "region=eu", "--count", "3"];
    const { sent } = await json<Sent>(...words, ...more);
    expect(sent).toHaveLength(3);
    const [first] = sent;
    await until("the index has them", async () => {
      const found = await json<Found>("messages", "find", "--topic", "Mail", "--key", "k1");
      return found.messages.length === 3;
    });
    const byUnique = await json("messages", "show", first?.msgId ?? "", "--topic", "Mail");
    expect(byUnique).toMatchObject({
      message: {
        body: "hello",
        tag: "T",
        keys: ["k1"],
        properties: { region: "eu" },
        bodyBase64: null,
      },
    });
    const byOffset = await json("messages", "show", (first?.offsetMsgId ?? "").toLowerCase());
    expect(byOffset).toEqual({ ...(byUnique as object), schema: "lab.admin.messages.show/1" });
    const two = await json<Found>("messages", "tail", "--topic", "Mail", "--count", "2");
    expect(two.messages.map(({ msgId }) => msgId)).toEqual(sent.slice(1).map(({ msgId }) => msgId));
    const text = (await admin("messages", "show", first?.msgId ?? "", "--topic", "Mail")).stdout;
    expect(text).toMatch(/^msgId .*\n[^]*\nregion +eu\n\nhello\n$/);
  });

  it("tail --follow goes on until it is interrupted", async () => {
    await json("topics", "create", "Live", "--queues", "1");
    const controller = new AbortController();
    const lines = ["admin", "messages", "tail", "--topic", "Live", "-f"];
    const following = runCli([...lines, "--namesrv", engine.namesrvAddr], {
      signal: controller.signal,
    });
    await json("messages", "send", "--topic", "Live", "--body", "one");
    await json("messages", "send", "--topic", "Live", "--body", "two");
    setTimeout(() => controller.abort("SIGINT"), 1_500);
    const run = await following;
    expect(run.code).toBe(130);
    expect(run.stdout).toMatch(/one\n[^]*two\n$/);
  });

  it("a body that is no text is shown as such, and given as base64", async () => {
    await json("messages", "send", "--topic", "Mail", "--body", "bell\u0007");
    const { messages } = await json<Found>("messages", "tail", "--topic", "Mail", "--count", "1");
    expect(messages[0]).toMatchObject({ body: null, bodyBase64: "YmVsbAc=" });
    const { stdout } = await admin("messages", "tail", "--topic", "Mail", "--count", "1");
    expect(stdout).toContain("5 bytes, no text");
  });

  it.each([
    [["messages"], 2, "needs a verb"],
    [["messages", "show", "xyz"], 2, "no message id"],
    [["messages", "show", "0".repeat(32)], 6, "only with --topic"],
    [["messages", "find", "--topic", "Mail"], 2, "needs --key"],
    [["messages", "find", "--topic", "Mail", "--key", "k", "--since", "noon"], 2, "is no time"],
    [["messages", "tail", "--topic", "Nope"], 6, "there is no topic Nope"],
    [["messages", "tail", "--topic", "Mail", "--key", "k"], 2, "has no use for --key"],
    [["messages", "send", "--topic", "Mail", "--body", "x", "--property", "p"], 2, "NAME=VALUE"],
  ])("%j fails with %i and says why", async (words, code, part) => {
    const run = await admin(...words);
    expect(run.stderr).toContain(part);
    expect(run.code).toBe(code);
  });
});

describe("groups and offsets", () => {
  beforeAll(async () => {
    await json("topics", "create", "Work", "--queues", "2");
    await json("messages", "send", "--topic", "Work", "--body", "w", "--count", "8");
    await consumeAll("workers", "Work", 8);
  });

  it("list and show", async () => {
    await until("the offsets are stored", async () => {
      const { lag } = await json<Offsets>("offsets", "--group", "workers", "--topic", "Work");
      return lag === 0;
    });
    expect(await json("groups")).toMatchObject({
      groups: [{ group: "workers", members: 0, lag: 0, brokers: ["broker-a", "broker-b"] }],
    });
    const shown = await json<{ topics: readonly { topic: string }[] }>("groups", "show", "workers");
    expect(shown.topics).toContainEqual({ topic: "Work", queues: 4, lag: 0 });
    expect((await admin("groups", "show", "workers")).stdout).toContain("nobody is connected");
  });

  it("reset to the beginning, and to the end again", async () => {
    const line = ["groups", "reset", "workers", "--topic", "Work", "--to"];
    await json(...line, "earliest");
    expect((await json<Offsets>("offsets", "--group", "workers", "--topic", "Work")).lag).toBe(8);
    await json(...line, "latest");
    expect((await json<Offsets>("offsets", "--group", "workers", "--topic", "Work")).lag).toBe(0);
    await json(...line, "1h");
    expect((await json<Offsets>("offsets", "--group", "workers", "--topic", "Work")).lag).toBe(8);
  });

  it("one offset of one queue", async () => {
    const at = ["--group", "workers", "--topic", "Work", "--broker", "broker-b", "--queue", "1"];
    await json("offsets", "set", ...at, "--offset", "1");
    const { offsets } = await json<Offsets>("offsets", "list", "--group", "workers");
    const row = offsets.find(({ broker, queue }) => broker === "broker-b" && queue === 1);
    expect(row).toMatchObject({ consumerOffset: 1 });
    const outside = await admin("offsets", "set", ...at, "--offset", "99");
    expect(outside).toMatchObject({ code: 2 });
    expect(outside.stderr).toContain("outside of queue 1");
  });

  it("delete", async () => {
    expect(await json("groups", "delete", "workers")).toMatchObject({ offsetsRemoved: true });
    expect((await json<Offsets>("offsets", "--group", "workers")).offsets).toEqual([]);
  });

  it.each([
    [["groups", "show", "wrokers"], 6, "no broker knows group wrokers"],
    [
      ["groups", "reset", "nobody", "--topic", "Work", "--to", "latest"],
      6,
      "no broker knows group nobody",
    ],
    [["groups", "reset", "w", "--topic", "Work"], 2, "needs --to"],
    [["offsets"], 2, "needs --group"],
    [["offsets", "set", "--group", "w"], 2, "needs --topic"],
  ])("%j fails with %i and says why", async (words, code, part) => {
    const run = await admin(...words);
    expect(run.stderr).toContain(part);
    expect(run.code).toBe(code);
  });
});

describe("brokers", () => {
  it("list tells roles and figures", async () => {
    const { brokers } = await json<{ brokers: readonly { broker: string }[] }>("brokers");
    expect(brokers).toContainEqual(
      expect.objectContaining({
        broker: "broker-a",
        role: "master",
        answers: true,
        version: "V4_9_0",
      }),
    );
    expect((await admin("brokers")).stdout).toContain("broker-b");
  });

  it("config shows all or some settings", async () => {
    const line = ["brokers", "config", "broker-a", "deleteWhen", "brokerId"];
    expect((await admin(...line)).stdout).toBe("brokerId=0\ndeleteWhen=07\n");
    expect(await json("brokers", "config", "broker-b:0")).toMatchObject({ broker: "broker-b" });
  });

  it.each([
    [["brokers", "config"], 2, "needs BROKER"],
    [["brokers", "config", "broker-a", "deleteWhne"], 6, "did you mean deleteWhen?"],
    [["brokers", "set", "broker-a", "deleteWhen"], 2, "is not KEY=VALUE"],
    [["brokers", "set", "broker-a", "deleteWhne=1"], 6, "nothing was changed"],
    [["brokers", "list", "more"], 2, '"more" is too much'],
    [["borkers"], 2, "did you mean brokers?"],
    [["brokers", "lits"], 2, "did you mean list?"],
  ])("%j fails with %i and says why", async (words, code, part) => {
    const run = await admin(...words);
    expect(run.stderr).toContain(part);
    expect(run.code).toBe(code);
  });
});

describe("which cluster", () => {
  it("a name server that does not answer is named, exit 5", async () => {
    const run = await runCli(["admin", "topics", "--namesrv", "127.0.0.1:1", "--timeout", "500ms"]);
    expect(run.code).toBe(5);
    expect(run.stderr).toContain("no name server answers: ");
    expect(run.stderr).toContain("127.0.0.1:1");
  });

  it("an address that is none is refused, and the second one is asked when the first is silent", async () => {
    expect(await runCli(["admin", "topics", "--namesrv", "host"])).toMatchObject({ code: 2 });
    const both = `127.0.0.1:1;${engine.namesrvAddr}`;
    expect(await runCli(["admin", "topics", "--namesrv", both])).toMatchObject({ code: 0 });
  });

  it("without --namesrv it is the lab's, and there must be one", async () => {
    const run = await runCli(["admin", "topics"], { env: { LAB_HOME: "/nowhere" } });
    expect(run).toMatchObject({ code: 6 });
    expect(run.stderr).toContain("lab up");
  });
});
