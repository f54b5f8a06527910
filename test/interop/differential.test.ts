/**
 * More than a thousand recorded requests, good and bad, over real sockets to Apache's broker and name server 4.9.0 and to ours. Codes, header
 * fields and bodies are compared; each difference stands in a table with its verdict, and the table must say exactly what is so.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanup } from "../helpers/cleanup.ts";
import {
  freeBrokerPort,
  startBrokerProcess,
  startNamesrvProcess,
} from "../helpers/engine-process.ts";
import { machineHas } from "../helpers/requirements.ts";
import { startApacheBroker, startApacheNamesrv } from "./apache.ts";
import { ADMIN_CASES, DELETION_CASES, SETUP_TOPICS } from "./protocol/admin-cases.ts";
import { BROKER_DIFFERENCES } from "./protocol/broker-differences.ts";
import { MESSAGE_DIFFERENCES } from "./protocol/message-differences.ts";
import type { Case } from "./protocol/cases.ts";
import { CLIENT_CASES, FAREWELL_CASES } from "./protocol/client-cases.ts";
import type { AnswerBack } from "./protocol/exchange.ts";
import { FRAME_CASES } from "./protocol/frame-cases.ts";
import { NAMESRV_CASES } from "./protocol/namesrv-cases.ts";
import { NAMESRV_DIFFERENCES } from "./protocol/namesrv-differences.ts";
import { play } from "./protocol/play.ts";
import { MESSAGE_CASES, SETUP_SENDS } from "./protocol/send-cases.ts";
import { differencesOf, listed, shown, type Difference } from "./protocol/verdicts.ts";

const BROKER_CASES: readonly Case[] = [
  ...SETUP_TOPICS,
  ...SETUP_SENDS,
  ...MESSAGE_CASES,
  ...CLIENT_CASES,
  ...ADMIN_CASES,
  ...FRAME_CASES,
  ...FAREWELL_CASES,
  ...DELETION_CASES,
];

const BROKER = {
  brokerName: "broker-a",
  brokerClusterName: "DefaultCluster",
  mappedFileSizeCommitLog: 64 * 1_048_576,
  mappedFileSizeConsumeQueue: 60_000,
  maxHashSlotNum: 1_000,
  maxIndexNum: 4_000,
  // A cold Java broker refuses what waited for 200 ms; not here.
  brokerFastFailureEnable: "false",
};

/** The consumer's side of 221, 307 and 309. */
const answerBack: AnswerBack = ({ code }) => {
  if (code === 221) {
    const table = '{{"brokerName":"broker-a","queueId":0,"topic":"DiffA"}:5}';
    return { code: 0, body: `{"consumerTable":{},"messageQueueTable":${table}}` };
  }
  if (code === 307) {
    return { code: 0, body: '{"mqTable":{},"properties":{"x":"1"},"statusTable":{}}' };
  }
  return code === 309 ? { code: 0, body: '{"consumeResult":"CR_SUCCESS","order":false}' } : null;
};

function bugsIn(table: readonly Difference[]): string[] {
  return table.filter((row) => row.verdict === "bug").map((row) => row.why);
}

describe.runIf(machineHas("java", "maven"))(
  "the same requests to Apache's servers and ours",
  () => {
    const cleanup = new Cleanup();
    let home = "";

    beforeAll(() => {
      home = mkdtempSync(join(tmpdir(), "lab-differential-"));
      cleanup.defer(() => rmSync(home, { recursive: true, force: true }));
    });
    afterAll(() => cleanup[Symbol.asyncDispose]());

    it("the set has more than 300 requests, each with a name of its own", () => {
      const names = [...BROKER_CASES, ...NAMESRV_CASES].map((item) => item.name);
      expect(names.length).toBeGreaterThan(1_000);
      for (const cases of [BROKER_CASES, NAMESRV_CASES])
        expect(new Set(cases.map((item) => item.name)).size).toBe(cases.length);
    });

    it("brokers differ only where the table says so", async () => {
      const listenPort = await freeBrokerPort();
      const properties = { ...BROKER, brokerId: 0, listenPort };
      // A second try begins with empty stores as well.
      const place = mkdtempSync(join(home, "brokers-"));
      const [theirs, own] = await Promise.all([
        startApacheBroker({ version: "4.9.0", home: join(place, "apache"), properties }),
        startBrokerProcess(join(place, "ours"), BROKER),
      ]);
      cleanup.use(theirs);
      cleanup.use(own);
      const address = `127.0.0.1:${listenPort}`;
      const [apache, ours] = await Promise.all([
        play(address, BROKER_CASES, answerBack),
        play(own.address, BROKER_CASES, answerBack),
      ]);
      const sides = [
        { address, played: apache },
        { address: own.address, played: ours },
      ] as const;
      const table = [...MESSAGE_DIFFERENCES, ...BROKER_DIFFERENCES];
      expect(shown(differencesOf(BROKER_CASES, ...sides))).toEqual(listed(table));
      expect(bugsIn(table)).toEqual([]);
    });

    it("name servers differ only where the table says so", async () => {
      const listenPort = await freeBrokerPort();
      const place = mkdtempSync(join(home, "namesrvs-"));
      const apacheHome = join(place, "apache");
      const [theirs, own] = await Promise.all([
        startApacheNamesrv({ version: "4.9.0", home: apacheHome, properties: { listenPort } }),
        startNamesrvProcess(join(place, "ours")),
      ]);
      cleanup.use(theirs);
      cleanup.use(own);
      const address = `127.0.0.1:${listenPort}`;
      const [apache, ours] = await Promise.all([
        play(address, NAMESRV_CASES),
        play(own.address, NAMESRV_CASES),
      ]);
      const sides = [
        { address, played: apache },
        { address: own.address, played: ours },
      ] as const;
      expect(shown(differencesOf(NAMESRV_CASES, ...sides))).toEqual(listed(NAMESRV_DIFFERENCES));
      expect(bugsIn(NAMESRV_DIFFERENCES)).toEqual([]);
    });
  },
);
