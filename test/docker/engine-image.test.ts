/** The image by itself: what is in it, when it is built, and that it runs alone, started by testcontainers. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Docker from "dockerode";
import { GenericContainer, Wait } from "testcontainers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REQUEST_CODE } from "../../engine/remoting/request-codes.ts";
import { installRoot } from "../../lab/base/install-root.ts";
import { ensureImage, imageName } from "../../lab/runtime/docker/image.ts";
import { connectDocker } from "../../lab/runtime/preflight/engine.ts";
import { Cleanup } from "../helpers/cleanup.ts";
import { ask, quiet } from "../helpers/docker-lab.ts";
import { machineHas } from "../helpers/requirements.ts";

describe.runIf(machineHas("docker", "linux"))("the engine image", () => {
  const cleanup = new Cleanup();
  let docker: Docker;
  let image = "";

  beforeAll(async () => {
    // Its helper container would have to be pulled; what is started here is stopped here.
    process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
    docker = (await connectDocker()).docker;
    image = await ensureImage(docker, installRoot(), quiet);
  });
  afterAll(() => cleanup[Symbol.asyncDispose]());

  /** A copy of what the image is made from, to change. */
  function copyOfRoot(): string {
    const root = mkdtempSync(join(tmpdir(), "lab-image-"));
    cleanup.defer(() => rmSync(root, { recursive: true, force: true }));
    for (const folder of ["docker", "dist"])
      cpSync(join(installRoot(), folder), join(root, folder), { recursive: true });
    return root;
  }

  it("is not built again while its content is the same", async () => {
    const said: string[] = [];
    expect(await ensureImage(docker, installRoot(), (message) => said.push(message))).toBe(image);
    expect(said).toEqual([]);
    expect(imageName(copyOfRoot())).toBe(image);
  });

  it("is another one when a program changed, and says on what it was built", async () => {
    const root = copyOfRoot();
    const program = join(root, "dist/mqnamesrv.mjs");
    writeFileSync(program, `${readFileSync(program, "utf8")}\n// ${process.pid}\n`);
    const said: string[] = [];
    const other = await ensureImage(docker, root, (message) => said.push(message));
    cleanup.defer(async () => void (await docker.getImage(other).remove({ force: true })));
    cleanup.defer(() => docker.getImage(image).tag({ repo: "rocketmq-lab/engine", tag: "local" }));
    expect(other).not.toBe(image);
    expect(said.at(-1)).toMatch(/^building the image on .+ \(.+\)$/);
  });

  it("a build that fails says what the engine said", async () => {
    const root = copyOfRoot();
    const dockerfile = join(root, "docker/engine.Dockerfile");
    writeFileSync(dockerfile, `${readFileSync(dockerfile, "utf8")}\nCOPY no-such-file /\n`);
    await expect(ensureImage(docker, root, quiet)).rejects.toMatchObject({
      code: "DOCKER_IMAGE_FAILED",
      message: expect.stringContaining("no-such-file") as string,
    });
  });

  it("says what to do when the programs are not built", async () => {
    const root = copyOfRoot();
    rmSync(join(root, "dist/mqbroker.mjs"));
    await expect(ensureImage(docker, root, quiet)).rejects.toMatchObject({
      code: "LAB_NOT_BUILT",
      message: expect.stringContaining("dist/mqbroker.mjs") as string,
    });
  });

  it("K-01, K-02: runs without root and without a volume of its own", async () => {
    const { Config: config } = await docker.getImage(image).inspect();
    expect(config.User).toBe("10001:10001");
    expect(config.Volumes ?? {}).toEqual({});
    expect(config.Labels).toMatchObject({ "lab.image": "engine" });
  });

  it("serves as a name server when it is started alone", async () => {
    await using container = await new GenericContainer(image)
      .withNetworkMode("bridge")
      .withCommand(["mqnamesrv"])
      .withExposedPorts(9876)
      .withWaitStrategy(Wait.forLogMessage(/boot success/))
      .start();
    const address = `${container.getHost()}:${container.getMappedPort(9876)}`;
    const answer = await ask(address, { code: REQUEST_CODE.GET_BROKER_CLUSTER_INFO });
    expect(answer.code).toBe(0);
    expect(JSON.parse(answer.body?.toString("utf8") ?? "{}")).toHaveProperty("brokerAddrTable");
    const health = await container.exec(["node", "/app/health.mjs", "namesrv", "9876"]);
    expect(health.exitCode).toBe(0);
    const wrongPort = await container.exec(["node", "/app/health.mjs", "broker", "10911"]);
    expect(wrongPort.exitCode).toBe(1);
  });
});
