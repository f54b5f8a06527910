import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { originalForms, originalTool } from "../../../../lab/cli/original-tools.ts";
import { allot } from "../../../../lab/runtime/allot.ts";
import { writeState } from "../../../../lab/runtime/state.ts";
import { loadTopology } from "../../../../lab/topology/presets.ts";
import { runCli } from "./run-cli.ts";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lab-mqadmin-"));
  const { topology } = loadTopology("2m-2s-sync", home);
  writeState(home, allot({ home, name: "lab", topology, runtime: "process", index: 2 }));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

describe("lab mqadmin", () => {
  it("without a distribution prints both ways to run it, with the lab's addresses", async () => {
    const words = ["mqadmin", "--", "updateTopic", "-t", "a b", "-c", "DefaultCluster"];
    const run = await runCli(words, { cwd: home, env: { LAB_HOME: home, ROCKETMQ_HOME: "" } });
    expect(run.code).toBe(0);
    const [, local, , container] = run.stdout.trim().split("\n");
    expect(local).toBe(
      `NAMESRV_ADDR='127.0.0.1:11876;127.0.0.1:11877' sh "$ROCKETMQ_HOME/bin/mqadmin" updateTopic -t 'a b' -c DefaultCluster`,
    );
    expect(container).toBe(
      "docker run --rm --network host -e 'NAMESRV_ADDR=127.0.0.1:11876;127.0.0.1:11877' apache/rocketmq:4.9.7 sh mqadmin updateTopic -t 'a b' -c DefaultCluster",
    );
  });

  it("beside a lab in Docker the container stands in the lab's network", () => {
    const inside = { network: "lab_internet", namesrvAddr: "198.51.100.34:9876" };
    const { container } = originalForms(["clusterList"], { namesrvAddr: "127.0.0.1:9876", inside });
    expect(container).toBe(
      "docker run --rm --network lab_internet -e NAMESRV_ADDR=198.51.100.34:9876 apache/rocketmq:4.9.7 sh mqadmin clusterList",
    );
  });

  it("a folder without RocketMQ is refused, whoever named it", async () => {
    for (const env of [{ ROCKETMQ_HOME: home }, {}]) {
      const words = "ROCKETMQ_HOME" in env ? ["mqadmin"] : ["mqadmin", "--dist", home];
      const run = await runCli(words, { cwd: home, env: { LAB_HOME: home, ...env } });
      expect(run.code).toBe(2);
      expect(run.stderr).toContain("holds no RocketMQ");
    }
  });

  it("takes the distribution's own log configuration where there is one", () => {
    mkdirSync(join(home, "dist", "lib"), { recursive: true });
    writeFileSync(join(home, "dist", "lib", "rocketmq-tools-4.9.7.jar"), "");
    const options = { args: ["help"], javaHome: "/jdk" };
    const own = originalTool(join(home, "dist"), join(home, "state"), options).command;
    expect(own).toContain(`-Drocketmq.home.dir=${join(home, "state")}`);
    expect(own[0]).toBe("/jdk/bin/java");
    expect(own).toContain(join(home, "dist", "lib", "*"));
    mkdirSync(join(home, "dist", "conf"));
    writeFileSync(join(home, "dist", "conf", "logback_tools.xml"), "<configuration/>");
    const theirs = originalTool(join(home, "dist"), join(home, "state"), options).command;
    expect(theirs).toContain(`-Drocketmq.home.dir=${join(home, "dist")}`);
  });
});
