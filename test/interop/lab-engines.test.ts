/** Apache's 4.9.0 broker and name server inside a lab of local processes, side by side with ours, from the command line. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { schemaProblems } from "../helpers/json-schema.ts";
import { LabHome } from "../helpers/lab-home.ts";
import { machineHas } from "../helpers/requirements.ts";
import { apacheJars } from "./apache.ts";

interface View {
  readonly healthy: boolean;
  readonly nodes: readonly {
    readonly node: string;
    readonly role: string;
    readonly engine: string;
    readonly state: string;
    readonly health: string;
    readonly reason: string;
    readonly lagBytes: number | null;
    readonly routes: Readonly<Record<string, string | null>>;
  }[];
}

interface Bench {
  readonly totals: { readonly ok: number };
  readonly verification: { readonly verdict: string; readonly lost: number };
}

const SOON = { timeout: 20_000, interval: 500 };
// Long enough for a JVM that is cold and shares two cores.
const BENCH = ["bench", "--producers", "4", "--duration", "2s", "--warmup", "1s"];

describe.runIf(machineHas("java", "maven"))(
  "2m-2s-sync with broker-b and a name server of Apache",
  () => {
    let lab: LabHome;
    let jars: string;

    const row = async (node: string): Promise<View["nodes"][number]> => {
      const found = (await lab.json<View>("status")).nodes.find((entry) => entry.node === node);
      if (found === undefined) throw new Error(`no ${node}`);
      return found;
    };

    beforeAll(async () => {
      jars = await apacheJars("4.9.0");
      lab = await LabHome.create();
      const engines = ["broker-b", "namesrv-2"].flatMap((node) => [
        "--engine",
        `${node}=apache-dist:${jars}`,
      ]);
      const up = await lab.run("up", "2m-2s-sync", "--runtime", "process", ...engines);
      if (up.code !== 0) throw new Error(up.stderr);
    });

    afterAll(() => lab[Symbol.asyncDispose]());

    it("is ready: every broker routed by both name servers, slaves in sync, and status says who is whose", async () => {
      const run = await lab.run("status", "--json");
      expect(schemaProblems(run.stdout)).toBe("");
      const view = JSON.parse(run.stdout) as View;
      expect(view.nodes.map(({ node, health, reason }) => [node, health, reason])).toEqual(
        view.nodes.map(({ node }) => [node, "ok", ""]),
      );
      const apache = view.nodes.filter(({ engine }) => engine === "Apache 4.9.0");
      expect(apache.map(({ node }) => node)).toEqual([
        "namesrv-2",
        "broker-b-master",
        "broker-b-slave",
      ]);
      for (const { routes } of view.nodes.filter(({ role }) => / of /.test(role)))
        expect(Object.keys(routes).toSorted()).toEqual(["namesrv-1", "namesrv-2"]);
    });

    it("takes load on both sides, every message accounted for", async () => {
      const bench = await lab.json<Bench>(...BENCH);
      expect(bench.totals.ok).toBeGreaterThan(20);
      expect(bench.verification).toMatchObject({ verdict: "complete", lost: 0 });
    });

    it("the property files are unchanged, and what Apache's programs write lies below the lab", async () => {
      const own = readFileSync("conf/2m-2s-sync/broker-b.properties", "utf8").trimEnd();
      const node = join(lab.home, "lab", "nodes", "broker-b-master");
      const given = readFileSync(join(node, "apache", "conf", "node.properties"), "utf8");
      expect(given.startsWith(own)).toBe(true);
      expect(given).toContain(`storePathRootDir=${join(node, "store")}`);
      expect(existsSync(join(node, "store", "commitlog"))).toBe(true);
      expect(readFileSync(join(node, "node.log"), "utf8")).toContain("boot success");
      const config = await lab.run("config", "broker-b-master", "listenPort");
      expect(config.stdout).toContain("the node's place in the lab");
    });

    it("our master killed: Apache's goes on, and ours comes back", async () => {
      await lab.run("kill", "broker-a-master");
      expect((await row("broker-b-master")).health).toBe("ok");
      expect(await row("broker-a-master")).toMatchObject({ state: "stopped", health: "down" });
      expect((await lab.run("start", "broker-a-master")).code).toBe(0);
    });

    it("Apache's slave becomes master, and its old master follows it", async () => {
      // What was answered SLAVE_NOT_AVAILABLE just now may still be on its way.
      await expect.poll(async () => (await row("broker-b-slave")).lagBytes, SOON).toBe(0);
      await lab.run("kill", "broker-b-master");
      const promoted = await lab.run("promote", "broker-b-slave");
      expect(promoted).toMatchObject({ code: 0 });
      expect(promoted.stdout).toContain("namesrv-2: 127.0.0.1:");
      expect((await lab.run("start", "broker-b-master")).code).toBe(0);
      expect(await row("broker-b-master")).toMatchObject({
        role: "slave of broker-b",
        health: "ok",
        lagBytes: 0,
      });
      const bench = await lab.json<Bench>(...BENCH);
      expect(bench.verification).toMatchObject({ verdict: "complete", lost: 0 });
    });

    it("a node changes its engine at its next start and keeps its messages", async () => {
      const changed = await lab.run("up", "--engine", "broker-b-slave=ts");
      expect(changed.stderr).toContain("lab restart broker-b-slave");
      expect((await lab.run("restart", "broker-b-slave")).code).toBe(0);
      expect(await row("broker-b-slave")).toMatchObject({ engine: "ts", health: "ok" });
      const bench = await lab.json<Bench>(...BENCH);
      expect(bench.verification).toMatchObject({ verdict: "complete", lost: 0 });
    });

    it("an image needs Docker: exit 2", async () => {
      const run = await lab.run("up", "--engine", "broker-b=apache:apache/rocketmq:4.9.7");
      expect(run.code).toBe(2);
      expect(run.stderr).toContain("is a container image");
    });
  },
);
