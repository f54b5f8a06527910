/**
 * RocketMQ Lab in your tests: a cluster of local processes per test file, broken and healed from the test. Runs anywhere Node runs, with no
 * container engine; say `{ runtime: "docker" }` for containers and network partitions.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RocketMQLab } from "rocketmq-lab";

describe("when a master is lost", () => {
  let lab: RocketMQLab;

  beforeAll(async () => {
    lab = await RocketMQLab.start("2m-2s-sync");
    // Start what you test with `lab.namesrvAddr` (or with the variables of `lab.env`).
  }, 60_000);

  afterAll(() => lab.stop());

  it("the other pair goes on", async () => {
    await lab.kill("broker-a-master");

    const down = (await lab.status()).filter((node) => node.health === "down");
    expect(down.map((node) => node.name)).toEqual(["broker-a-master"]);
    // Here your producer sends, and you expect that nothing acknowledged is lost.

    await lab.heal();
    await lab.waitUntilReady("@broker-a");
  });

  it("a master that hangs is not one that is gone", async () => {
    await lab.pause("@masters");
    expect((await lab.status()).filter((node) => node.state === "paused")).toHaveLength(2);
    await lab.unpause("@masters");
  });
});

it("one cluster for one test", async () => {
  await using lab = await RocketMQLab.start("1m", {
    set: ["@masters.autoCreateTopicEnable=false"],
  });
  expect(lab.namesrvAddr).toBe(lab.address("namesrv-1"));
  expect((await fetch(`${lab.dashboardUrl}/api/health`)).status).toBe(200);
}, 60_000);
