/**
 * One store directory, two brokers: written by ours with every feature, its oldest files deleted by policy, killed in mid-air, and read back
 * by Apache's message by message; and the reverse. Then both rebuild queues and index from the same log, to the same bytes.
 */
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { Cleanup } from "../helpers/cleanup.ts";
import {
  freeBrokerPort,
  startBrokerProcess,
  type EngineProcess,
} from "../helpers/engine-process.ts";
import type { LineChild } from "../helpers/child.ts";
import { machineHas } from "../helpers/requirements.ts";
import { startApacheBroker, type ApacheVersion } from "./apache.ts";
import {
  countByKey,
  dispatched,
  fill,
  indexFiles,
  queueFiles,
  readAll,
  STORE_SIZES,
} from "./store-peer.ts";

const COUNT = 300;
const NAMES = { brokerName: "broker-a", brokerClusterName: "DefaultCluster" } as const;
const KEYS = ["k1.299", "k2.0", "k2.7", "last2.299", "shared3", "nobody"] as const;
const NEWEST_KEY = "last2.299";
const EVERY_HOUR = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, "0")).join(";");

describe.runIf(machineHas("java", "maven"))(
  "a store directory in the hands of both brokers",
  () => {
    let cleanup = new Cleanup();
    let root = "";

    function freshRoot(): void {
      cleanup = new Cleanup();
      root = mkdtempSync(join(tmpdir(), "lab-store-peers-"));
      const doomed = root;
      cleanup.defer(() => rmSync(doomed, { recursive: true, force: true }));
    }
    afterEach(() => cleanup[Symbol.asyncDispose]());

    const home = (name: string): string => join(root, name);
    const store = (name: string): string => join(root, name, "store");
    const copy = (from: string, to: string): void =>
      cpSync(home(from), home(to), { recursive: true, preserveTimestamps: true });

    async function ours(
      name: string,
      changes: Readonly<Record<string, string | number>> = {},
    ): Promise<EngineProcess> {
      return cleanup.use(
        await startBrokerProcess(home(name), { ...STORE_SIZES, ...NAMES, ...changes }),
      );
    }

    async function apache(
      name: string,
      version: ApacheVersion = "4.9.0",
    ): Promise<{ address: string; child: LineChild }> {
      const listenPort = await freeBrokerPort();
      const properties = { ...STORE_SIZES, ...NAMES, brokerId: 0, listenPort };
      const child = cleanup.use(await startApacheBroker({ version, home: home(name), properties }));
      return { address: `127.0.0.1:${listenPort}`, child };
    }

    async function end(child: LineChild, signal: NodeJS.Signals): Promise<void> {
      child.kill(signal);
      await child.exited;
    }

    function logFileNames(name: string): string[] {
      return readdirSync(join(store(name), "commitlog")).toSorted();
    }

    /** Both brokers rebuild queues and index of one log that was stopped cleanly, and stop. */
    async function bothRebuild(name: string, version: ApacheVersion): Promise<void> {
      for (const folder of ["consumequeue", "index"])
        rmSync(join(store(name), folder), { recursive: true, force: true });
      copy(name, "by-apache");
      copy(name, "by-ours");
      const [theirs, own] = await Promise.all([apache("by-apache", version), ours("by-ours")]);
      await Promise.all([
        dispatched(theirs.address, NEWEST_KEY),
        dispatched(own.address, NEWEST_KEY),
      ]);
      await Promise.all([end(theirs.child, "SIGTERM"), end(own.child, "SIGTERM")]);
    }

    function sameQueues(): void {
      const [theirs, own] = [queueFiles(store("by-apache")), queueFiles(store("by-ours"))];
      expect([...own.keys()]).toEqual([...theirs.keys()]);
      const different = [...theirs].filter(
        ([path, bytes]) => own.get(path)?.equals(bytes) !== true,
      );
      expect(different.map(([path]) => path)).toEqual([]);
      expect(own.size).toBeGreaterThan(20);
    }

    function sameIndexes(): void {
      const [theirs, own] = [indexFiles(store("by-apache")), indexFiles(store("by-ours"))];
      expect(own.length).toBe(theirs.length);
      expect(own.length).toBeGreaterThan(1);
      expect(own.map((bytes, at) => theirs[at]?.equals(bytes) ?? false)).toEqual(
        own.map(() => true),
      );
    }

    it("ours writes, deletes by policy and is killed; Apache's reads every message; rebuilt queues and index are equal", async () => {
      freshRoot();
      const policy = { deleteWhen: EVERY_HOUR, fileReservedTime: 0, cleanResourceInterval: 100 };
      const first = await ours("written", policy);
      await fill(first.address, 1, COUNT);
      await expect
        .poll(() => logFileNames("written")[0], { timeout: 10_000 })
        .not.toBe("0".repeat(20));
      await end(first.child, "SIGTERM");
      const second = await ours("written");
      await fill(second.address, 2, COUNT);
      await end(second.child, "SIGKILL");
      expect(logFileNames("written").length).toBeGreaterThan(2);
      copy("written", "unclean");

      const [theirs, own] = await Promise.all([apache("unclean"), ours("written")]);
      const expected = await readAll(own.address);
      expect(expected.size).toBeGreaterThan(COUNT * 2);
      const read = await readAll(theirs.address);
      expect([...read.keys()].filter((key) => read.get(key) !== expected.get(key))).toEqual([]);
      expect(read.size).toBe(expected.size);
      expect(await countByKey(theirs.address, KEYS)).toEqual(await countByKey(own.address, KEYS));
      await Promise.all([end(theirs.child, "SIGKILL"), end(own.child, "SIGTERM")]);

      await bothRebuild("written", "4.9.0");
      sameQueues();
      sameIndexes();
    });

    it.each<ApacheVersion>(["4.9.0", "4.9.7"])(
      "Apache's %s writes, loses its oldest file and is killed; ours reads every message; rebuilt queues and index are equal",
      async (version) => {
        freshRoot();
        const first = await apache("written", version);
        await fill(first.address, 1, COUNT);
        await end(first.child, "SIGTERM");
        // Its own policy runs one minute after the start at the earliest; what it does is to remove the oldest file.
        rmSync(join(store("written"), "commitlog", logFileNames("written")[0] ?? ""));
        const second = await apache("written", version);
        await fill(second.address, 2, COUNT);
        const expected = await readAll(second.address);
        const counts = await countByKey(second.address, KEYS);
        await end(second.child, "SIGKILL");

        const own = await ours("written");
        const read = await readAll(own.address);
        expect([...read.keys()].filter((key) => read.get(key) !== expected.get(key))).toEqual([]);
        expect(read.size).toBe(expected.size);
        expect(await countByKey(own.address, KEYS)).toEqual(counts);
        await end(own.child, "SIGTERM");

        await bothRebuild("written", version);
        sameQueues();
        sameIndexes();
      },
    );
  },
);
