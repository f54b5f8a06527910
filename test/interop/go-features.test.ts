/** Apache's unmodified Go client v2.1.2, one process, feature after feature on our broker. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { machineHas } from "../helpers/requirements.ts";
import { FeatureClient } from "./feature-client.ts";
import { FeatureStage } from "./feature-stage.ts";
import { itConsumes, itSends, type Scene } from "./shared-features.ts";
import { itIsAdministered, itReachesBrokers, itTakesItsTime } from "./shared-care.ts";

describe.runIf(machineHas("go"))("Apache's Go client, feature by feature", () => {
  let scene: Scene;
  beforeAll(async () => {
    const stage = await FeatureStage.start();
    const client = await FeatureClient.go(stage.home, { namesrv: stage.namesrv });
    scene = { stage, client: stage.use(client) };
  }, 300_000);
  afterAll(async () => scene.stage[Symbol.asyncDispose]());

  itSends(() => scene);
  itConsumes(() => scene);
  itIsAdministered(() => scene);
  itReachesBrokers(() => scene);
  itTakesItsTime(() => scene);

  it("its pull consumer polls, acknowledges, and a new one goes on there [lite]", async () => {
    const { stage, client } = scene;
    const topic = await stage.topic("go_pull");
    await client.ask("send", { topic, count: 12 });
    const pull = { topic, group: "CG_go_pull" };
    expect((await client.ask("pull", { ...pull, instance: "p1", count: 12 })).number).toBe(12);
    await client.ask("send", { topic, prefix: "next", count: 4 });
    await client.ask("pull", { ...pull, instance: "p2", count: 4 });
    const next = client.received("CG_go_pull").slice(12);
    expect(next.map(({ key }) => key).toSorted()).toEqual(["next-0", "next-1", "next-2", "next-3"]);
  });
});
