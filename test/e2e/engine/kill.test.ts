/** A broker process is killed under load: every message it acknowledged is there afterwards (faults-and-security 2, first row). */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BrokerPeer, recordsOf, sendFields } from "../../helpers/broker-peer.ts";
import { Cleanup } from "../../helpers/cleanup.ts";
import { startBrokerProcess } from "../../helpers/engine-process.ts";

const TOPIC = "Killed";
const QUEUES = 4;
const IN_FLIGHT = 32;
const ENOUGH = 4_000;

/** What one acknowledgement said. */
interface Acknowledged {
  readonly body: string;
  readonly queueOffset: number;
  readonly msgId: string;
}

/** Sends to one queue, some at a time, until the connection dies. */
async function sendUntilDead(
  peer: BrokerPeer,
  queueId: number,
  acknowledged: Acknowledged[],
): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    for (;;) {
      const body = `queue-${queueId}-message-${(next += 1)}`;
      const ext = sendFields(TOPIC, { e: queueId });
      const answer = await peer.tryAsk({ code: 310, ext, body: Buffer.from(body) });
      if (answer === null) return;
      expect(answer.code).toBe(0);
      const { queueOffset = "", msgId = "" } = answer.ext;
      acknowledged.push({ body, queueOffset: Number(queueOffset), msgId });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
}

async function readQueue(peer: BrokerPeer, queueId: number): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (let queueOffset = 0; ;) {
    const answer = await peer.pull(TOPIC, { queueId, queueOffset });
    if (answer.code !== 0) return found;
    for (const message of recordsOf(answer.body)) found.set(message.queueOffset, message.text);
    queueOffset = Number(answer.ext["nextBeginOffset"]);
  }
}

describe.each(["ASYNC_FLUSH", "SYNC_FLUSH"])("kill -9 under load, %s", (flushDiskType) => {
  it("loses no acknowledged message, and keeps its queue offset", async () => {
    await using cleanup = new Cleanup();
    const home = mkdtempSync(join(tmpdir(), "lab-kill-"));
    cleanup.defer(() => rmSync(home, { recursive: true, force: true }));
    const properties = { flushDiskType, brokerName: "broker-a" };
    const first = cleanup.use(await startBrokerProcess(home, properties));
    using starter = await BrokerPeer.connect(first.address);
    expect((await starter.send(TOPIC, "first")).code).toBe(0);

    const acknowledged: Acknowledged[][] = Array.from({ length: QUEUES }, () => []);
    const senders = acknowledged.map(async (list, queueId) => {
      using peer = await BrokerPeer.connect(first.address);
      await sendUntilDead(peer, queueId, list);
    });
    const killed = (async () => {
      while (acknowledged.flat().length < ENOUGH) await new Promise((next) => setTimeout(next, 5));
      first.child.kill("SIGKILL");
    })();
    await Promise.all([...senders, killed]);
    await first.child.exited;

    const second = cleanup.use(
      await startBrokerProcess(home, { ...properties, listenPort: first.port }),
    );
    using reader = await BrokerPeer.connect(second.address);
    for (const [queueId, list] of acknowledged.entries()) {
      const found = await readQueue(reader, queueId);
      const missing = list.filter((message) => found.get(message.queueOffset) !== message.body);
      expect(missing).toEqual([]);
    }
    expect(acknowledged.flat().length).toBeGreaterThanOrEqual(ENOUGH);
    expect(new Set(acknowledged.flat().map((message) => message.msgId)).size).toBe(
      acknowledged.flat().length,
    );
    expect((await reader.send(TOPIC, "after")).code).toBe(0);
  });
});
