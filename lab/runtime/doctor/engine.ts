/** Can a lab run in Docker here? Without an engine labs are local processes, so nothing of this is fatal unless Docker is what is wanted. */
import { EngineError } from "../../../engine/base/engine-error.ts";
import { installRoot } from "../../base/install-root.ts";
import type { Server } from "../../topology/topology.ts";
import { detectCompose } from "../docker/compose-command.ts";
import { imageName } from "../docker/image.ts";
import { connectDocker, type DockerEngine } from "../preflight/engine.ts";
import { connectServer } from "../preflight/server-engine.ts";
import { checkSubnets, type SubnetClaim } from "../preflight/subnets.ts";
import { guardRoute, ok, refusal, type Finding } from "./machine.ts";

type Severity = "warn" | "fail";

async function compose(severity: Severity): Promise<Finding> {
  try {
    const { program, args, version } = await detectCompose();
    return ok("compose", `${[program, ...args].join(" ")} ${version}`);
  } catch (error) {
    return refusal("compose", severity, error);
  }
}

async function image(engine: DockerEngine, severity: Severity): Promise<Finding> {
  try {
    const name = imageName(installRoot());
    const images = await engine.docker.listImages({ filters: { reference: [name] } });
    const found = images.length > 0 ? name : `${name} will be built by the first \`lab up\``;
    return ok("image", found);
  } catch (error) {
    return refusal("image", severity, error);
  }
}

async function subnets(
  engine: DockerEngine,
  claim: SubnetClaim,
  severity: Severity,
): Promise<Finding> {
  try {
    await checkSubnets(engine.docker, claim);
    return ok("subnets", Object.values(claim.subnets).join(", "));
  } catch (error) {
    return refusal("subnets", severity, error);
  }
}

async function examineServer(
  host: string,
  server: Server,
  claim: SubnetClaim,
): Promise<readonly Finding[]> {
  let engine: DockerEngine;
  try {
    engine = await connectServer(host, server);
  } catch (error) {
    return [refusal(`engine of ${host}`, "fail", error)];
  }
  const size = `${engine.cpus} cores, ${engine.memoryMiB} MiB`;
  const own = { ...claim, subnets: { [host]: claim.subnets[host] ?? "" }, isElsewhere: true };
  const findings = [await image(engine, "fail"), await subnets(engine, own, "fail")];
  return [
    ok(`engine of ${host}`, `Docker Engine ${engine.version} at ${server.address}, ${size}`),
    ...findings.map((finding) => ({ ...finding, check: `${finding.check} of ${host}` })),
  ];
}

/**
 * @param claim networks of a lab whose hosts are servers
 * @param servers by host
 */
export async function examineServers(
  claim: SubnetClaim,
  servers: Readonly<Record<string, Server>>,
): Promise<readonly Finding[]> {
  const found = await Promise.all(
    Object.entries(servers).map(([host, server]) => examineServer(host, server, claim)),
  );
  return [await compose("fail"), ...found.flat()];
}

/**
 * @param claim networks the lab has or would get
 * @param severity how bad it is when something is missing
 */
export async function examineEngine(
  claim: SubnetClaim,
  severity: Severity,
): Promise<readonly Finding[]> {
  let engine: DockerEngine;
  try {
    engine = await connectDocker();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return [refusal("engine", severity, error)];
  }
  const size = `${engine.cpus} cores, ${engine.memoryMiB} MiB`;
  const guard = guardRoute();
  return [
    ok("engine", `Docker Engine ${engine.version}, ${size}`),
    await compose(severity),
    await image(engine, severity),
    await subnets(engine, claim, severity),
    ...(guard === null ? [] : [guard]),
  ];
}
