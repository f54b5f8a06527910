/** What Apache's mqadmin 4.9.0 does to messages and groups of our broker, seen by Apache's Java client and by ours. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../e2e/engine/engine-fixture.ts";
import { machineHas } from "../helpers/requirements.ts";
import { prepareHome } from "./apache.ts";
import { FeatureClient } from "./feature-client.ts";
import { FeatureStage } from "./feature-stage.ts";

describe.runIf(machineHas("java", "maven"))("mqadmin 4.9.0, feature by feature", () => {
  let stage: FeatureStage;
  let java: FeatureClient;
  beforeAll(async () => {
    stage = await FeatureStage.start();
    prepareHome(join(stage.home, "tools"));
    java = stage.use(await FeatureClient.java(stage.home, { namesrv: stage.namesrv }));
  });
  afterAll(async () => stage[Symbol.asyncDispose]());

  async function run(text: string, namesrv = stage.namesrv): Promise<string> {
    const home = join(stage.home, "tools");
    return (await java.ask("mqadmin", { home, args: `${text} -n ${namesrv}` })).reply;
  }

  it("sendMessage sends, consumeMessage and printMsg read [sync]", async () => {
    const topic = await stage.topic("ToolSend");
    expect(await run(`sendMessage -t ${topic} -p hello -k k1 -c TagA`)).toMatch(/SEND_OK/);
    expect(await run(`consumeMessage -t ${topic}`)).toMatch(/hello/);
    expect(await run(`printMsg -t ${topic} -d true`)).toMatch(/hello/);
  });

  it("queryMsgByKey, queryMsgByUniqueKey and queryMsgById find a message [query]", async () => {
    const topic = await stage.topic("ToolQuery");
    const { sends } = await java.ask("send", { topic, count: 3 });
    const [, sent] = sends;
    await until("the index has it", async () => {
      const found = await stage.admin.queryMessages({ topic, key: "m-1" });
      return found.length === 1;
    });
    expect(await run(`queryMsgByKey -t ${topic} -k m-1`)).toContain(sent?.msgId);
    const details = /Topic:\s+ToolQuery[\s\S]*Keys:\s+\[m-1\]/;
    expect(await run(`queryMsgByUniqueKey -t ${topic} -i ${sent?.msgId}`)).toMatch(details);
    const byOffset = await run(`queryMsgById -i ${sent?.offsetMsgId}`);
    expect(byOffset).toMatch(/OffsetID:[\s\S]*ToolQuery[\s\S]*\[m-1\]/);
  });

  it("resetOffsetByTime reaches Java's consumer and ours while they run [reset]", async () => {
    const topic = await stage.topic("ToolReset");
    await java.ask("send", { topic, count: 6 });
    await java.ask("consume", { id: "reset", topic, group: "CG_java_reset" });
    const ours = await stage.consume(topic, { group: "CG_our_reset" });
    await java.untilKeys("reset", 6);
    await until("ours has all", () => ours.length >= 6);
    for (const group of ["CG_java_reset", "CG_our_reset"])
      await stage.untilCommitted(group, topic, 6);
    for (const group of ["CG_java_reset", "CG_our_reset"])
      await run(`resetOffsetByTime -g ${group} -t ${topic} -s 0 -f true`);
    await until("ours has all again", () => ours.length >= 12);
    await java.until("reset", (events) => events.length >= 12);
    expect([ours.length, java.received("reset").length]).toEqual([12, 12]);
  });

  it("updateSubGroup forbids and allows a group to consume [group-settings]", async () => {
    const topic = await stage.topic("ToolGroup");
    const settings = `updateSubGroup -b ${stage.broker} -g CG_tool -q 2 -r 5`;
    expect(await run(`${settings} -s false`)).toMatch(/success/);
    await java.ask("send", { topic, count: 4 });
    const ours = await stage.consume(topic, { group: "CG_tool" });
    const witness = await stage.consume(topic, { group: "CG_witness" });
    await until("another group has all", () => witness.length >= 4);
    expect(ours).toHaveLength(0);
    expect(await run(`${settings} -s true`)).toMatch(/success/);
    await until("the group has all", () => ours.length >= 4);
  });

  it("queryMsgTraceById shows the trace our client wrote [trace]", async () => {
    const topic = await stage.topic("ToolTrace");
    const producer = await stage.producer({ trace: true });
    const sent = await producer.send({ topic, body: Buffer.from("x"), keys: ["k1"] });
    const got = await stage.consume(topic, { trace: true });
    await until("it is consumed", () => got.length >= 1);
    await until("the records are indexed", async () => {
      const records = { topic: "RMQ_SYS_TRACE_TOPIC", key: sent.msgId };
      return (await stage.admin.queryMessages(records)).length >= 1;
    });
    expect(await run(`queryMsgTraceById -i ${sent.msgId}`)).toMatch(/Pub[\s\S]*PG_ours/);
  });

  it("consumerProgress and consumerConnection show a group of our client [cluster]", async () => {
    const topic = await stage.topic("ToolProgress");
    await java.ask("send", { topic, count: 8 });
    const got = await stage.consume(topic, { group: "CG_progress" });
    await until("it is consumed", () => got.length >= 8);
    expect(await run("consumerProgress -g CG_progress")).toMatch(/ToolProgress[\s\S]*Consume TPS/);
    expect(await run("consumerConnection -g CG_progress")).toMatch(/CONSUME_PASSIVELY/);
  });

  it.runIf(machineHas("ipv6"))(
    "a cluster on [::1] is listed, and its messages are found by their long ids [ipv6]",
    async () => {
      await using six = await FeatureStage.start({ host: "::1" });
      const topic = await six.topic("ToolSix");
      const producer = await six.producer();
      const sent = await producer.send({ topic, body: Buffer.from("x"), keys: ["k1"] });
      expect(await run("clusterList", six.namesrv)).toMatch(/broker-a\s+0\s+\[?::1\]?:\d+/);
      expect(await run(`queryMsgById -i ${sent.offsetMsgId}`, six.namesrv)).toMatch(/\[k1\]/);
    },
  );
});
