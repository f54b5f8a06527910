/** A place for labs of one test: a temporary folder and blocks of ports nobody else uses; everything is gone afterwards. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { readProcess } from "../../lab/runtime/process-identity.ts";
import { loadTopology } from "../../lab/topology/presets.ts";
import { startChild, type LineChild } from "./child.ts";
import { schemaProblems } from "./json-schema.ts";
import { runToEnd, type CommandRun } from "./run-to-end.ts";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const LAB = join(ROOT, "dist", "lab.mjs");
const COMMAND_MS = 90_000;
/** 0 to 2 are those of the docker tests, which may run beside. */
const INDEX_MIN = 3;
const INDEX_MAX = 20;

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", () => done(false));
    server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
  });
}

async function isBlockFree(index: number): Promise<boolean> {
  const { nodes } = loadTopology("2m-2s-sync", ROOT).topology;
  const ports = nodes.flatMap((node) => node.ports.map((port) => port.published ?? 0));
  const free = await Promise.all(ports.map((port) => isFree(port + 1_000 * index)));
  return free.every(Boolean);
}

/** @returns `count` blocks whose ports are all free now; test runs of other processes begin their search elsewhere */
export async function freeIndexes(count: number): Promise<number[]> {
  const span = INDEX_MAX - INDEX_MIN + 1;
  const found: number[] = [];
  for (let step = 0; step < span && found.length < count; step += 1) {
    const index = INDEX_MIN + ((process.pid + step) % span);
    if (await isBlockFree(index)) found.push(index);
  }
  if (found.length < count) throw new Error(`no ${count} free blocks of ports on this machine`);
  return found;
}

/** See the file's head. */
export class LabHome implements AsyncDisposable {
  readonly directory: string;
  readonly indexes: readonly number[];
  /** Further variables for every command. */
  extraEnvironment: NodeJS.ProcessEnv = {};

  private constructor(directory: string, indexes: readonly number[]) {
    this.directory = directory;
    this.indexes = indexes;
  }

  /** @param blocks how many labs will stand side by side */
  static async create(blocks = 1): Promise<LabHome> {
    if (!existsSync(LAB)) throw new Error(`${LAB} is missing: run \`npm run build\` first`);
    return new LabHome(mkdtempSync(join(tmpdir(), "lab-e2e-")), await freeIndexes(blocks));
  }

  /** Folder of the labs; `.lab` of a project. */
  get home(): string {
    return join(this.directory, ".lab");
  }

  private environment(): NodeJS.ProcessEnv {
    const index = String(this.indexes[0]);
    return {
      LAB_HOME: this.home,
      LAB_INDEX: index,
      NO_COLOR: "1",
      CI: "1",
      ...this.extraEnvironment,
    };
  }

  /** Starts a command; both outputs are in `lines`. */
  start(...args: readonly string[]): LineChild {
    return startChild(process.execPath, [LAB, ...args], {
      env: this.environment(),
      cwd: this.directory,
    });
  }

  /** Runs a command to its end. */
  async run(...args: readonly string[]): Promise<CommandRun> {
    const options = { env: this.environment(), cwd: this.directory, timeoutMs: COMMAND_MS };
    return runToEnd([process.execPath, LAB, ...args], options);
  }

  /** Runs a command with `--json`. @returns its document; fails the test when it is none, or not as its schema says */
  async json<Document>(...args: readonly string[]): Promise<Document> {
    const { stdout, stderr } = await this.run(...args, "--json");
    let document: Document;
    try {
      document = JSON.parse(stdout) as Document;
    } catch (cause) {
      throw new Error(`lab ${args.join(" ")} printed no JSON:\n${stdout}\n${stderr}`, { cause });
    }
    const problems = schemaProblems(stdout);
    if (problems === "") return document;
    throw new Error(`lab ${args.join(" ")} --json is not what is published: ${problems}`);
  }

  /** Pids of every node any lab of this place remembers, and that lives. */
  livePids(): number[] {
    if (!existsSync(this.home)) return [];
    return readdirSync(this.home, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith("process.json"))
      .map((file) => JSON.parse(readFileSync(join(this.home, file), "utf8")) as { pid: number })
      .map(({ pid }) => pid)
      .filter((pid) => readProcess(pid) !== null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const labs = existsSync(this.home) ? readdirSync(this.home) : [];
    for (const name of labs.filter((entry) => !entry.startsWith("."))) {
      await this.run("destroy", "--yes", "--name", name);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}
