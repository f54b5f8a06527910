/**
 * `lab up 2m-2s-sync` in Docker with Apache's unmodified Java client, from the machine and from inside a container, given nothing but
 * the printed name server address.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { removeLeftovers } from "../helpers/docker-lab.ts";
import { Cleanup } from "../helpers/cleanup.ts";
import { runChild, startChild, type LineChild } from "../helpers/child.ts";
import { masterDiesInMidStream } from "../helpers/failover-scenario.ts";
import { labJson, labOk } from "../helpers/lab-command.ts";
import { machineHas } from "../helpers/requirements.ts";
import { OPENS, apacheJars, javaClassPath, startJava } from "../interop/apache.ts";
import { deliveries, keysOf, sends } from "../interop/json-events.ts";

const WAIT_MS = 60_000;
const labName = "javadock";
const version = "4.9.0";

interface UpDocument {
  readonly namesrvAddr: string;
  readonly namesrvAddrInside: string;
  readonly network: string;
  readonly image: string;
}

describe.runIf(machineHas("docker", "docker-compose", "java", "maven", "linux"))(
  "2m-2s-sync in Docker with Apache's Java client",
  () => {
    const cleanup = new Cleanup();
    let home = "";
    let up: UpDocument = { namesrvAddr: "", namesrvAddrInside: "", network: "", image: "" };

    beforeAll(async () => {
      await removeLeftovers(labName);
      home = mkdtempSync(join(tmpdir(), "lab-javadock-"));
      cleanup.defer(() => rmSync(home, { recursive: true, force: true }));
      cleanup.defer(async () => void (await labOk(home, ["destroy", "--name", labName, "--yes"])));
      up = await labJson<UpDocument>(
        home,
        ["up", "2m-2s-sync", "--name", labName, "--runtime", "docker"],
        240_000,
      );
    });
    afterAll(() => cleanup[Symbol.asyncDispose]());

    const onMachine = (
      program: "LabProducer" | "LabConsumer",
      args: readonly string[],
    ): Promise<LineChild> =>
      startJava(program, { version, home }, [`namesrv=${up.namesrvAddr}`, ...args]);

    /**
     * Java in a container of the lab's internet network. The image has no JVM, so the machine's own JDK and libraries are mounted
     * read-only: the client is Apache's, unmodified, and its network is the container's.
     */
    async function inContainer(
      program: "LabProducer" | "LabConsumer",
      args: readonly string[],
    ): Promise<LineChild> {
      const jars = await apacheJars(version);
      const classPath = await javaClassPath(version);
      const java = realpathSync(
        (await runChild("sh", ["-c", "command -v java"], { timeoutMs: 5_000 })).output.trim(),
      );
      const mounts = [
        "/usr",
        "/lib",
        "/lib64",
        "/etc/java-17-openjdk",
        dirname(dirname(jars)),
      ].flatMap((path) => ["-v", `${resolve(path)}:${resolve(path)}:ro`]);
      const name = `${labName}-client-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
      cleanup.defer(
        async () =>
          void (await runChild("docker", ["rm", "-f", "-v", name], { timeoutMs: 30_000 })),
      );
      const flags = [
        "run",
        "--rm",
        "-i",
        "--init",
        "--name",
        name,
        "--network",
        up.network,
        "--tmpfs",
        "/tmp",
        "--user",
        "0:0",
        ...mounts,
        "--entrypoint",
        java,
        up.image,
      ];
      return startChild("docker", [
        ...flags,
        "-Xmx256m",
        ...OPENS,
        "-Duser.home=/tmp",
        "-cp",
        classPath,
        program,
        `namesrv=${up.namesrvAddrInside}`,
        ...args,
      ]);
    }

    it.each([
      ["the machine", onMachine],
      ["inside a container", inContainer],
    ])("creates a topic by sending, sends and consumes from %s", async (where, java) => {
      const topic = `From_${where.replaceAll(" ", "_")}`;
      await using producer = await java("LabProducer", [`topic=${topic}`, "count=100"]);
      await producer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
      const sent = sends(producer.lines);
      expect(sent.filter((event) => event.status !== "SEND_OK")).toEqual([]);
      expect(new Set(sent.map((event) => event.queue.split("/")[0])).size).toBeGreaterThanOrEqual(
        1,
      );
      await using consumer = await java("LabConsumer", [`topic=${topic}`, `group=CG_${topic}`]);
      await consumer.waitUntil((lines) => keysOf(deliveries(lines)).size >= 100, WAIT_MS);
      consumer.closeInput();
    });

    it("a second consumer inside a container shares the work with the first on the machine", async () => {
      const topic = "Shared";
      await using first = await onMachine("LabConsumer", [
        `topic=${topic}`,
        "group=CG_shared",
        "instance=machine",
      ]);
      await using seed = await onMachine("LabProducer", [
        `topic=${topic}`,
        "count=8",
        "prefix=seed",
      ]);
      await seed.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
      await using second = await inContainer("LabConsumer", [
        `topic=${topic}`,
        "group=CG_shared",
        "instance=container",
      ]);
      await second.waitForLine((line) => line.includes('"started"'), WAIT_MS);
      await using producer = await onMachine("LabProducer", [
        `topic=${topic}`,
        "count=1200",
        "rate=100",
        "prefix=run",
      ]);
      await second.waitUntil((lines) => deliveries(lines).length > 0, WAIT_MS);
      await producer.waitForLine((line) => line.includes('"finished"'), WAIT_MS);
      const acked = keysOf(sends(producer.lines).filter((event) => event.status === "SEND_OK"));
      const missing = (): string[] => {
        const seen = keysOf([...deliveries(first.lines), ...deliveries(second.lines)]);
        return [...acked].filter((key) => !seen.has(key));
      };
      await expect.poll(missing, { timeout: WAIT_MS, interval: 200 }).toEqual([]);
    });

    it("loses nothing acknowledged when a master is killed in mid-stream, seen from inside a container", async () => {
      await masterDiesInMidStream({ home, labName, java: inContainer });
    });
  },
);
