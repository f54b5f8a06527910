/**
 * Images with Apache's programs that keep the container contract of the lab's own: `mqnamesrv -c FILE` and `mqbroker -c FILE` on the PATH, and a
 * data folder the nodes' user may write. `apache-dist:DIR` is made from this machine's Java and the distribution's jars on the base that is
 * made from this machine's Node (docker-lab 4), so it needs no network and fits the machine's C library. `apache:IMAGE` gets a layer of two lines.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import type Docker from "dockerode";
import { pack, type Pack } from "tar-stream";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { readDistribution, type Distribution } from "../../apache/distribution.ts";
import { findJava, type Java } from "../../apache/java.ts";
import { LOGBACK_FILES, MAIN_CLASSES, SMALL_FLAGS, logbackText } from "../../apache/program.ts";
import { CONTAINER_USER } from "../../compose/service.ts";
import type { NodeEngine } from "../../topology/topology.ts";
import { dockerError } from "./docker-error.ts";
import { finished } from "./engine-output.ts";
import { pullWhenAbsent } from "./guest.ts";
import type { Say } from "./image.ts";
import { addFile, linkedLibraries, offlineBase } from "./offline-base.ts";

const REPOSITORY = "rocketmq-lab/apache";
const HASH_LENGTH = 12;
const JAVA_DIR = "opt/java";
const ROCKETMQ_DIR = "opt/rocketmq";
/** Of a JDK what running needs: no sources, headers, manual or modules to link with. */
const JAVA_PARTS = ["bin/java", "lib", "conf", "release"];
const NOT_NEEDED = /\/(src\.zip|ct\.sym|.*\.(a|debuginfo))$/;
/** Libraries whose own links must be there; those of windows and sound are left alone. */
const JAVA_LIBRARIES =
  /\/lib(jvm|jli|java|jimage|zip|net|nio|extnet|verify|management\w*|instrument)\.so$/;
const PROGRAMS = { mqnamesrv: MAIN_CLASSES.namesrv, mqbroker: MAIN_CLASSES.broker };

const DIST_FILE = (base: string): string =>
  [
    `FROM ${base}`,
    "COPY root/ /",
    `COPY --chown=${CONTAINER_USER} data/ /data/`,
    "WORKDIR /data",
    `USER ${CONTAINER_USER}`,
    'CMD ["mqnamesrv"]',
    "",
  ].join("\n");

/** Apache's own images keep the programs in their home's bin folder, off the PATH. */
const THIN_FILE = (image: string): string =>
  [
    `FROM ${image}`,
    "ENV PATH=${ROCKETMQ_HOME}/bin:${PATH}",
    `COPY --chown=${CONTAINER_USER} data/ /data/`,
    "",
  ].join("\n");

function filesBelow(path: string): readonly string[] {
  // A link of the distribution may lead nowhere on this machine.
  if (!existsSync(path) || NOT_NEEDED.test(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => filesBelow(join(path, name)));
}

function text(tar: Pack, name: string, content: string, mode = 0o644): void {
  tar.entry({ name, mode, mtime: new Date(0) }, content);
}

/**
 * The kernel starts `java @FILE /usr/local/bin/mqbroker -c …`: options and main class stand in FILE, and the program ignores the word before
 * its first option. So no shell is needed, and nothing stays around Java.
 */
function addPrograms(tar: Pack): void {
  for (const [name, mainClass] of Object.entries(PROGRAMS)) {
    const options = [
      ...SMALL_FLAGS,
      `-Drocketmq.home.dir=/${ROCKETMQ_DIR}`,
      "-cp",
      `/${ROCKETMQ_DIR}/lib/*`,
      mainClass,
    ];
    text(tar, `root/${ROCKETMQ_DIR}/${name}.args`, `${options.join("\n")}\n`);
    const start = `#!/${JAVA_DIR}/bin/java @/${ROCKETMQ_DIR}/${name}.args\n`;
    text(tar, `root/usr/local/bin/${name}`, start, 0o755);
  }
}

async function fillDist(tar: Pack, base: string, java: Java, jars: Distribution): Promise<void> {
  text(tar, "Dockerfile", DIST_FILE(base));
  text(tar, "data/README", "Data of a node.\n");
  addPrograms(tar);
  for (const name of LOGBACK_FILES) text(tar, `root/${ROCKETMQ_DIR}/conf/${name}`, logbackText());
  for (const jar of jars.jars)
    await addFile(tar, join(jars.dir, jar), `root/${ROCKETMQ_DIR}/lib/${jar}`);
  const files = JAVA_PARTS.flatMap((part) => filesBelow(join(java.home, part)));
  for (const path of files)
    await addFile(tar, path, `root/${JAVA_DIR}/${path.slice(java.home.length + 1)}`);
  const linked = files.filter((path) => JAVA_LIBRARIES.test(path)).concat(java.program);
  const libraries = new Set(linked.flatMap(linkedLibraries));
  for (const path of libraries) {
    if (!path.startsWith(java.home)) await addFile(tar, path, `root${path}`);
  }
  tar.finalize();
}

function hashOf(parts: readonly (string | Buffer)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, HASH_LENGTH);
}

async function isThere(docker: Docker, name: string): Promise<boolean> {
  try {
    await docker.getImage(name).inspect();
    return true;
  } catch {
    return false;
  }
}

async function build(docker: Docker, name: string, from: string, tar: Pack): Promise<void> {
  try {
    const stream = await docker.buildImage(Readable.from(tar), {
      t: name,
      labels: { "lab.image": "apache", "lab.from": from },
      networkmode: "none",
      rm: true,
      forcerm: true,
    });
    await finished(docker, stream);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw dockerError(error, `building image ${name}`);
  }
}

async function fromDistribution(docker: Docker, dir: string, say: Say): Promise<string> {
  const jars = readDistribution(dir);
  const java = findJava();
  const base = await offlineBase(docker);
  const content = jars.jars.map((jar) => readFileSync(join(jars.dir, jar)));
  const modules = statSync(join(java.home, "lib", "modules"), { throwIfNoEntry: false });
  if (modules === undefined) {
    throw new EngineError("LAB_JAVA_MISSING", {
      message: `an image needs Java 9 or later; ${java.home} is older (${java.version})`,
      hint: "set JAVA_HOME to a newer one, or use `apache:IMAGE`",
    });
  }
  const javaId = `${java.home} ${java.version} ${modules.size} ${modules.mtimeMs}`;
  const recipe = [DIST_FILE(base.name), logbackText(), SMALL_FLAGS.join(" ")];
  const name = `${REPOSITORY}:${jars.version}-${hashOf([javaId, ...recipe, ...jars.jars, ...content])}`;
  if (await isThere(docker, name)) return name;
  say(`building an image of Apache ${jars.version} and this machine's Java ${java.version}`);
  const tar = pack();
  await Promise.all([
    build(docker, name, dir, tar),
    fillDist(tar, base.name, java, jars).catch((error: unknown) => {
      tar.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }),
  ]);
  return name;
}

async function fromImage(docker: Docker, image: string, say: Say): Promise<string> {
  await pullWhenAbsent(docker, { image, say });
  const { Id: id } = await docker.getImage(image).inspect();
  const name = `${REPOSITORY}:${hashOf([id, THIN_FILE(image)])}`;
  if (await isThere(docker, name)) return name;
  const tar = pack();
  text(tar, "Dockerfile", THIN_FILE(image));
  text(tar, "data/README", "Data of a node.\n");
  tar.finalize();
  await build(docker, name, image, tar);
  return name;
}

/**
 * @param docker engine
 * @param engine of a node
 * @param say told what happens; nothing when the image is there already
 * @returns name of the image; its tag is a hash of what is in it
 * @throws EngineError LAB_JAVA_MISSING | CLI_USAGE | DOCKER_IMAGE_FAILED | DOCKER_REQUEST_FAILED
 */
export function ensureApacheImage(docker: Docker, engine: NodeEngine, say: Say): Promise<string> {
  return engine.kind === "apache-dist"
    ? fromDistribution(docker, engine.from, say)
    : fromImage(docker, engine.from, say);
}
