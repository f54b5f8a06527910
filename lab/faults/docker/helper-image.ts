/**
 * The image of the lab's helper containers: the nodes' own image, the agent, and this machine's iptables and tc with their loader and libraries
 * below /tools, so that they run whatever the base is.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import type Docker from "dockerode";
import { pack } from "tar-stream";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { installRoot } from "../../base/install-root.ts";
import { statusOf, dockerError } from "../../runtime/docker/docker-error.ts";
import { finished } from "../../runtime/docker/engine-output.ts";

const REPOSITORY = "rocketmq-lab/faults";
const HASH_LENGTH = 12;
const LDD_MS = 10_000;
const PLACES = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
const TOOLS = ["iptables", "tc"];
/** Fills disks; part of util-linux, which only very small systems are without. */
const FALLOCATE = "fallocate";
/** Of iptables' extensions only those for IPv4. */
const EXTENSION = /^lib(xt|ipt)_.+\.so$/;

interface ImageFile {
  readonly path: string;
  readonly content: Buffer;
}

function refuse(what: string): EngineError {
  return new EngineError("LAB_FAULT_UNSUPPORTED", {
    message: `network faults need ${what} on this machine: the lab's helper containers are made from them`,
    hint: "on Debian and Ubuntu: `apt-get install iptables iproute2`; without them `lab pause` and `lab kill` work",
  });
}

function find(name: string): string {
  const found = PLACES.map((place) => join(place, name)).find((path) => existsSync(path));
  if (process.platform !== "linux" || found === undefined) throw refuse(`Linux's ${name}`);
  return realpathSync(found);
}

function linked(program: string): readonly string[] {
  const output = execFileSync("ldd", [program], { encoding: "utf8", timeout: LDD_MS });
  return [...output.matchAll(/(\/[^ )\n:]+)/g)].map((match) => match[1] ?? "");
}

function extensions(): readonly string[] {
  const roots = ["/usr/lib", "/usr/lib64", "/lib"].filter((root) => existsSync(root));
  const folders = roots.flatMap((root) => [
    join(root, "xtables"),
    ...readdirSync(root).map((name) => join(root, name, "xtables")),
  ]);
  const folder = folders.find((path) => existsSync(path));
  if (folder === undefined) throw refuse("iptables' extensions");
  return readdirSync(folder)
    .filter((name) => EXTENSION.test(name))
    .map((name) => join(folder, name));
}

function imageFiles(): readonly ImageFile[] {
  const agent = join(installRoot(), "dist", "fault-agent.mjs");
  if (!existsSync(agent)) {
    throw new EngineError("LAB_NOT_BUILT", {
      message: `${agent} is not there: the programs are not built`,
      hint: "run `npm run build`, then the command again",
    });
  }
  const hasFallocate = PLACES.some((place) => existsSync(join(place, FALLOCATE)));
  const names = hasFallocate ? [...TOOLS, FALLOCATE] : TOOLS;
  const programs = names.map((name) => ({ name, path: find(name) }));
  const libraries = [...new Set(programs.flatMap(({ path }) => linked(path)))];
  const isLoader = (path: string): boolean => /^ld(-linux|-musl|64)?[-.]/.test(basename(path));
  const from = (path: string, to: string): ImageFile => ({ path: to, content: readFileSync(path) });
  return [
    from(agent, "agent/fault-agent.mjs"),
    ...programs.map(({ name, path }) => from(path, `tools/bin/${name}`)),
    ...libraries.map((path) =>
      from(path, isLoader(path) ? "tools/ld.so" : `tools/lib/${basename(path)}`),
    ),
    ...extensions().map((path) => from(path, `tools/xtables/${basename(path)}`)),
  ];
}

function dockerfile(base: string): string {
  return `FROM ${base}\nUSER 0\nCOPY agent/ /agent/\nCOPY tools/ /tools/\n`;
}

/**
 * @param docker engine
 * @param base image the lab's nodes run
 * @returns name of the helpers' image, made now or earlier
 * @throws EngineError LAB_FAULT_UNSUPPORTED when this machine has no tools | LAB_NOT_BUILT | DOCKER_IMAGE_FAILED
 */
export async function ensureHelperImage(docker: Docker, base: string): Promise<string> {
  const files = imageFiles();
  const hash = createHash("sha256").update(base);
  for (const { path, content } of files) hash.update(`${path}\0`).update(content);
  const name = `${REPOSITORY}:${hash.digest("hex").slice(0, HASH_LENGTH)}`;
  try {
    await docker.getImage(name).inspect();
    return name;
  } catch (error) {
    if (statusOf(error) !== 404) throw dockerError(error, `looking for image ${name}`);
  }
  const tar = pack();
  tar.entry({ name: "Dockerfile", mode: 0o644, mtime: new Date(0) }, dockerfile(base));
  for (const { path, content } of files) {
    tar.entry({ name: path, mode: 0o755, mtime: new Date(0) }, content);
  }
  tar.finalize();
  const stream = await docker.buildImage(Readable.from(tar), {
    t: name,
    labels: { "lab.image": "faults" },
    networkmode: "none",
    rm: true,
    forcerm: true,
  });
  await finished(docker, stream);
  return name;
}
