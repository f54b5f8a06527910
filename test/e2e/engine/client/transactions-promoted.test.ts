/** A slave that is made master goes on with the transactions its dead master left open (store-and-ha 6.4). */
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  createTransactionProducer,
  type ReceivedMessage,
  type TransactionState,
} from "../../../../engine/client/index.ts";
import { internTopic } from "../../../../engine/message/topic-name.ts";
import { startBrokerProcess } from "../../../helpers/engine-process.ts";
import { until } from "../engine-fixture.ts";
import { ClientFixture } from "./client-fixture.ts";

const TOPIC = "TransPromoted";
/** The dead master asked nobody; the new one asks at once. */
const LATE = { transactionTimeOut: 60_000 };
const QUICK = { transactionCheckInterval: 100, transactionTimeOut: 150 };

let fixture: ClientFixture;
beforeEach(async () => {
  fixture = await ClientFixture.start();
});
afterEach(async () => fixture[Symbol.asyncDispose]());

it("kill -9 of the master, its slave made master: what was open is asked for and ended once, what was ended stays so", async () => {
  const { engine } = fixture;
  const { namesrvAddr } = engine;
  const pair = { brokerName: "broker-a", namesrvAddr, mappedFileSizeCommitLog: 16 * 1_048_576 };
  const home = join(engine.home, "master");
  await using master = await startBrokerProcess(home, {
    ...pair,
    ...LATE,
    brokerRole: "SYNC_MASTER",
  });
  const store = { storePathRootDir: join(engine.home, "slave") };
  const slave = await engine.startBroker({
    ...pair,
    ...store,
    brokerRole: "SLAVE",
    brokerId: 1,
  });
  const checks: ReceivedMessage[] = [];
  const answer = (message: ReceivedMessage): TransactionState => {
    checks.push(message);
    return message.body.toString().startsWith("keep") ? "commit" : "rollback";
  };
  // It looks for the new master once a second, not twice a minute.
  const client = fixture.client({ routeRefreshMs: 1_000, heartbeatMs: 1_000 });
  const producer = createTransactionProducer(client, { group: "PG_trans", check: answer });
  await producer.start();
  const half = (body: string, state: TransactionState) =>
    producer.sendInTransaction(
      { topic: TOPIC, body: Buffer.from(body), keys: [body] },
      () => state,
    );
  await until("the slave is taken for safe", async () => {
    return (await half("gone-0", "rollback")).status === "SEND_OK";
  });
  await half("done-0", "commit");
  const open = [];
  for (const body of ["keep-1", "drop-1", "keep-2"]) open.push(await half(body, "unknown"));
  await half("done-1", "commit");
  const committed = (): number =>
    [0, 1, 2, 3].reduce((sum, queueId) => {
      return sum + slave.context.store.maxOffsetInQueue(internTopic(TOPIC), queueId);
    }, 0);
  await until("the slave has both commits", () => committed() === 2);
  master.child.kill("SIGKILL");
  await master.child.exited;
  expect(checks).toEqual([]);
  await slave.stop();

  await engine.startBroker({
    ...pair,
    ...store,
    ...QUICK,
    brokerRole: "ASYNC_MASTER",
    brokerId: 0,
  });
  const consumer = await fixture.consumer({ topic: TOPIC, group: "CG_promoted" });
  await until("the open ones are ended", () => consumer.got.length === 4, 30_000);
  await until("the producer finds the new master", async () => {
    return (await half("done-2", "commit").catch(() => null))?.status === "SEND_OK";
  });
  await until("nothing comes between", () => consumer.bodies().includes("done-2"));
  expect(new Set(consumer.bodies())).toEqual(
    new Set(["done-0", "done-1", "done-2", "keep-1", "keep-2"]),
  );
  expect(consumer.bodies().filter((body) => body !== "done-2")).toHaveLength(4);
  const asked = checks.map((message) => message.msgId).toSorted();
  expect(asked).toEqual(open.map((sent) => sent.transactionId).toSorted());
});
