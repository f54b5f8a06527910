/**
 * Apache's servers as peers, 4.9.0 and 4.9.7: name server both ways, replication both ways, and a store directory handed over both
 * ways. Java clients send and read, so neither side is only compared with itself.
 */
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { Cleanup } from "../helpers/cleanup.ts";
import {
  freeBrokerPort,
  startBrokerProcess,
  startNamesrvProcess,
} from "../helpers/engine-process.ts";
import { machineHas } from "../helpers/requirements.ts";
import {
  mqadmin,
  startApacheBroker,
  startApacheNamesrv,
  startJava,
  type ApacheVersion,
} from "./apache.ts";
import { deliveries, keysOf, sends } from "./json-events.ts";

const WAIT_MS = 60_000;
const LOG_FILE_SIZE = 4 * 1_048_576;
const SMALL = {
  mappedFileSizeCommitLog: LOG_FILE_SIZE,
  mappedFileSizeConsumeQueue: 60_000,
  maxHashSlotNum: 1_000,
  maxIndexNum: 4_000,
};

/** All bytes of a commit log up to `end`. */
function commitLogBytes(home: string, end: number): Buffer {
  const dir = join(home, "store", "commitlog");
  const files = readdirSync(dir)
    .filter((name) => /^\d{20}$/.test(name))
    .toSorted();
  return Buffer.concat(files.map((name) => readFileSync(join(dir, name)))).subarray(0, end);
}

describe.runIf(machineHas("java", "maven"))("Apache's servers as peers", () => {
  let cleanup = new Cleanup();
  let home = "";

  function freshHome(): void {
    cleanup = new Cleanup();
    home = mkdtempSync(join(tmpdir(), "lab-peers-"));
    const doomed = home;
    cleanup.defer(() => rmSync(doomed, { recursive: true, force: true }));
  }
  afterEach(() => cleanup[Symbol.asyncDispose]());

  async function send(
    namesrv: string,
    topic: string,
    count: number,
    prefix = "m",
  ): Promise<Set<string>> {
    const args = [`namesrv=${namesrv}`, `topic=${topic}`, `count=${count}`, `prefix=${prefix}`];
    await using producer = await startJava("LabProducer", { version: "4.9.0", home }, args);
    await producer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
    expect(sends(producer.lines).filter((event) => event.status !== "SEND_OK")).toEqual([]);
    return keysOf(sends(producer.lines));
  }

  async function readAll(
    namesrv: string,
    topic: string,
    group: string,
    wanted: Set<string>,
  ): Promise<void> {
    const args = [`namesrv=${namesrv}`, `topic=${topic}`, `group=${group}`];
    await using consumer = await startJava("LabConsumer", { version: "4.9.0", home }, args);
    await consumer.waitUntil((lines) => keysOf(deliveries(lines)).size >= wanted.size, WAIT_MS);
    expect(keysOf(deliveries(consumer.lines))).toEqual(wanted);
  }

  /** Log end as the broker itself says it (mqadmin brokerStatus). */
  async function logEnd(namesrv: string, broker: string): Promise<number> {
    const { output } = await mqadmin({ version: "4.9.0", home: join(home, "tools") }, [
      "brokerStatus",
      "-b",
      broker,
      "-n",
      namesrv,
    ]);
    return Number(/commitLogMaxOffset\s*:\s*(\d+)/.exec(output)?.[1] ?? Number.NaN);
  }

  async function sameLogs(
    namesrv: string,
    master: { address: string; home: string },
    slave: { address: string; home: string },
  ): Promise<void> {
    const end = await logEnd(namesrv, master.address);
    await expect
      .poll(() => logEnd(namesrv, slave.address), { timeout: WAIT_MS, interval: 500 })
      .toBe(end);
    expect(end).toBeGreaterThan(10_000);
    expect(commitLogBytes(slave.home, end).equals(commitLogBytes(master.home, end))).toBe(true);
  }

  it.each<ApacheVersion>(["4.9.0", "4.9.7"])(
    "an Apache %s broker registers at our name server and is used through it",
    async (version) => {
      freshHome();
      const namesrv = cleanup.use(await startNamesrvProcess(join(home, "namesrv"))).address;
      const listenPort = await freeBrokerPort();
      const properties = {
        ...SMALL,
        brokerName: "broker-java",
        brokerClusterName: "DefaultCluster",
        brokerId: 0,
        listenPort,
        namesrvAddr: namesrv,
      };
      cleanup.use(await startApacheBroker({ version, home: join(home, "broker"), properties }));
      await readAll(namesrv, "OnJava", "CG_peer", await send(namesrv, "OnJava", 50));
    },
  );

  it("our broker registers at Apache's name server and is used through it", async () => {
    freshHome();
    const listenPort = await freeBrokerPort();
    cleanup.use(
      await startApacheNamesrv({
        version: "4.9.0",
        home: join(home, "namesrv"),
        properties: { listenPort },
      }),
    );
    const namesrv = `127.0.0.1:${listenPort}`;
    cleanup.use(
      await startBrokerProcess(join(home, "broker"), {
        ...SMALL,
        brokerName: "broker-ts",
        namesrvAddr: namesrv,
      }),
    );
    await readAll(namesrv, "OnOurs", "CG_peer", await send(namesrv, "OnOurs", 50));
  });

  it("an Apache slave follows our SYNC_MASTER: SEND_OK only with it, logs byte-equal", async () => {
    freshHome();
    const namesrv = cleanup.use(await startNamesrvProcess(join(home, "namesrv"))).address;
    const masterProperties = {
      ...SMALL,
      brokerName: "broker-a",
      brokerRole: "SYNC_MASTER",
      flushDiskType: "SYNC_FLUSH",
      namesrvAddr: namesrv,
    };
    const master = cleanup.use(await startBrokerProcess(join(home, "master"), masterProperties));
    const slavePort = await freeBrokerPort();
    const slaveProperties = {
      ...SMALL,
      brokerName: "broker-a",
      brokerClusterName: "DefaultCluster",
      brokerId: 1,
      brokerRole: "SLAVE",
      listenPort: slavePort,
      namesrvAddr: namesrv,
    };
    cleanup.use(
      await startApacheBroker({
        version: "4.9.0",
        home: join(home, "slave"),
        properties: slaveProperties,
      }),
    );
    const slave = { address: `127.0.0.1:${slavePort}`, home: join(home, "slave") };
    // A 4.9 slave stays silent for 5 s after connecting (store-and-ha, trap 7): until then sends answer SLAVE_NOT_AVAILABLE.
    await expect
      .poll(
        async () => {
          await using producer = await startJava("LabProducer", { version: "4.9.0", home }, [
            `namesrv=${namesrv}`,
            "topic=HaTopic",
            "count=1",
          ]);
          await producer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
          return sends(producer.lines)[0]?.status;
        },
        { timeout: WAIT_MS, interval: 500 },
      )
      .toBe("SEND_OK");
    await send(namesrv, "HaTopic", 200, "ha");
    await sameLogs(namesrv, master, slave);
  });

  it("our slave follows an Apache SYNC_MASTER: SEND_OK only with it, logs byte-equal", async () => {
    freshHome();
    const namesrv = cleanup.use(await startNamesrvProcess(join(home, "namesrv"))).address;
    const masterPort = await freeBrokerPort();
    const names = {
      brokerName: "broker-a",
      brokerClusterName: "DefaultCluster",
      namesrvAddr: namesrv,
    };
    const masterProperties = {
      ...SMALL,
      ...names,
      brokerId: 0,
      brokerRole: "SYNC_MASTER",
      flushDiskType: "SYNC_FLUSH",
      listenPort: masterPort,
    };
    cleanup.use(
      await startApacheBroker({
        version: "4.9.0",
        home: join(home, "master"),
        properties: masterProperties,
      }),
    );
    const master = { address: `127.0.0.1:${masterPort}`, home: join(home, "master") };
    const slave = cleanup.use(
      await startBrokerProcess(join(home, "slave"), {
        ...SMALL,
        ...names,
        brokerId: 1,
        brokerRole: "SLAVE",
      }),
    );
    await slave.child.waitForLine((line) => /follow/i.test(line), WAIT_MS);
    await send(namesrv, "HaTopic", 200, "ha");
    await sameLogs(namesrv, master, slave);
  });

  it("Apache's broker opens a store that ours wrote, and ours opens it again", async () => {
    freshHome();
    const namesrv = cleanup.use(await startNamesrvProcess(join(home, "namesrv"))).address;
    const listenPort = await freeBrokerPort();
    const properties = {
      ...SMALL,
      brokerName: "broker-a",
      brokerClusterName: "DefaultCluster",
      listenPort,
      namesrvAddr: namesrv,
    };
    const keys = new Set<string>();
    {
      await using ours = await startBrokerProcess(join(home, "broker"), properties);
      for (const key of await send(namesrv, "Handover", 300, "ours")) keys.add(key);
      ours.child.kill("SIGTERM");
      expect((await ours.child.exited).code).toBe(0);
    }
    cpSync(join(home, "broker"), join(home, "kept"), { recursive: true });
    {
      await using apache = await startApacheBroker({
        version: "4.9.0",
        home: join(home, "broker"),
        properties: { ...properties, brokerId: 0 },
      });
      await readAll(namesrv, "Handover", "CG_java_reads_ours", keys);
      for (const key of await send(namesrv, "Handover", 300, "java")) keys.add(key);
      apache.kill("SIGTERM");
      await apache.exited;
    }
    await using again = await startBrokerProcess(join(home, "broker"), properties);
    await readAll(namesrv, "Handover", "CG_ours_reads_java", keys);
    expect(again.child.lines.join("\n")).not.toMatch(/corrupt/i);
  });
});
