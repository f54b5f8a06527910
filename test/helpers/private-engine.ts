/**
 * A Docker Engine of a test's own, in a network namespace of its own (docker-lab 11): its networks, its packet filter and its published ports are nobody
 * else's, so a test may restart it, and may ask for exactly what a lab left behind. Needs to be root on Linux.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type Docker from "dockerode";
import { startChild, type LineChild } from "./child.ts";
import { NamespaceEngine, insideNamespace } from "./namespace-engine.ts";
import { runToEnd, succeeded, type CommandRun } from "./run-to-end.ts";

const COMMAND_MS = 120_000;
const LAB = resolve("dist/lab.mjs");
let count = 0;

function ip(...args: readonly string[]): string {
  return execFileSync("ip", [...args], { encoding: "utf8" });
}

/** See the file's head. */
export class PrivateEngine implements AsyncDisposable {
  /** Folder of the labs. */
  readonly home: string;
  private readonly name: string;
  private readonly directory: string;
  private readonly engine: NamespaceEngine;

  private constructor() {
    count += 1;
    this.name = `labtest${process.pid}-${count}`;
    this.directory = mkdtempSync(join(tmpdir(), "lab-private-engine-"));
    this.home = join(this.directory, "labs");
    this.engine = new NamespaceEngine({
      namespace: this.name,
      directory: join(this.directory, "engine"),
      bridge: "198.51.100.193/28",
      pool: "198.51.100.208/28",
    });
  }

  get docker(): Docker {
    return this.engine.docker;
  }

  static async start(): Promise<PrivateEngine> {
    const engine = new PrivateEngine();
    ip("netns", "add", engine.name);
    try {
      ip("-n", engine.name, "link", "set", "lo", "up");
      await engine.engine.start();
      return engine;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A command, as words, so that it runs inside. */
  private inside(argv: readonly string[]): string[] {
    return insideNamespace(this.name, argv);
  }

  /** Ends the engine as a reboot of the machine does, and starts it again. */
  async restart(): Promise<void> {
    await this.engine.stop();
    await this.engine.start();
  }

  private environment(): NodeJS.ProcessEnv {
    return {
      DOCKER_HOST: `unix://${this.engine.socket}`,
      LAB_HOME: this.home,
      LAB_INDEX: "0",
      NO_COLOR: "1",
      CI: "1",
    };
  }

  /** Starts a `lab` command inside. Its pid is that of the command itself. */
  start(...args: readonly string[]): LineChild {
    const argv = this.inside([process.execPath, LAB, ...args]);
    return startChild("nsenter", argv, { env: this.environment(), cwd: this.directory });
  }

  /** Runs a `lab` command inside to its end. */
  async run(...args: readonly string[]): Promise<CommandRun> {
    const argv = ["nsenter", ...this.inside([process.execPath, LAB, ...args])];
    const options = { env: this.environment(), cwd: this.directory, timeoutMs: COMMAND_MS };
    return runToEnd(argv, options);
  }

  /** Runs a `lab` command that must succeed. @returns what it printed on standard output */
  async ok(...args: readonly string[]): Promise<string> {
    return succeeded(args, await this.run(...args));
  }

  /** Everything a lab could leave: containers, networks, volumes, packet filter rules, interfaces, processes, files. One line each, sorted. */
  async everything(): Promise<readonly string[]> {
    const [containers, networks, volumes] = await Promise.all([
      this.docker.listContainers({ all: true }),
      this.docker.listNetworks(),
      this.docker.listVolumes(),
    ]);
    const read = (program: string, ...args: string[]): string[] =>
      execFileSync("nsenter", this.inside([program, ...args]), { encoding: "utf8" }).split("\n");
    const rules = ["filter", "nat", "mangle", "raw"].flatMap((table) =>
      read("iptables-save", "-t", table)
        .filter((line) => line.startsWith("-A") || line.startsWith(":"))
        // Counters of packets differ from call to call.
        .map((line) => `rule ${table} ${line.replace(/ \[\d+:\d+\]$/, "")}`),
    );
    const links = read("ip", "-brief", "link").map(
      (line) => `link ${line.split(/[\s@]/)[0] ?? ""}`,
    );
    const files = readdirSync(this.directory, { encoding: "utf8" }).includes("labs")
      ? readdirSync(this.home, { recursive: true, encoding: "utf8" })
      : [];
    return [
      ...containers.map(({ Names, Id }) => `container ${Names[0] ?? Id}`),
      ...networks.map(({ Name }) => `network ${Name}`),
      ...(volumes.Volumes ?? []).map(({ Name }) => `volume ${Name}`),
      ...rules,
      ...links,
      ...this.processes().map((program) => `process ${program}`),
      ...files.map((file) => `file ${file}`),
    ].toSorted();
  }

  /** Programs that run inside the namespace. */
  private processes(): readonly string[] {
    const pids = ip("netns", "pids", this.name).split("\n").filter(Boolean);
    return pids.flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/comm`, "utf8").trim()];
      } catch {
        return [];
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
    spawnSync("ip", ["netns", "del", this.name]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
