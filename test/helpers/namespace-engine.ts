/** A Docker Engine inside a network namespace (docker-lab 11). Needs to be root on Linux; the namespace is the caller's. */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, openSync, readFileSync, readdirSync, rmSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";

const ANSWER_MS = 60_000;
const END_MS = 60_000;
const POLL_MS = 100;

/** Where it is and which addresses it may use. */
export interface NamespaceEngineOptions {
  /** Of `ip netns`. Also names the engine's control groups. */
  readonly namespace: string;
  /** For everything it writes; removed with it. */
  readonly directory: string;
  /** Of its default bridge, with prefix length. */
  readonly bridge: string;
  /** For networks that name none; cut into /29. */
  readonly pool: string;
  /** Address and port it also listens on, plainly: the namespace must be nobody else's. */
  readonly tcp?: string;
}

/** @returns words that run a command inside a namespace */
export function insideNamespace(namespace: string, argv: readonly string[]): string[] {
  // Not `ip netns exec`: it mounts /sys anew, and dockerd then finds no control groups.
  return [`--net=/var/run/netns/${namespace}`, ...argv];
}

/** See the file's head. */
export class NamespaceEngine implements AsyncDisposable {
  readonly docker: Docker;
  readonly socket: string;
  private readonly options: NamespaceEngineOptions;
  private pid = 0;

  constructor(options: NamespaceEngineOptions) {
    this.options = options;
    mkdirSync(options.directory, { recursive: true });
    this.socket = join(options.directory, "docker.sock");
    this.docker = new Docker({ socketPath: this.socket });
  }

  async start(): Promise<void> {
    const { namespace, directory, bridge, pool, tcp } = this.options;
    const folder = (name: string): string => join(directory, name);
    rmSync(folder("docker.pid"), { force: true });
    const log = openSync(folder("engine.log"), "a");
    const alsoTcp = tcp === undefined ? "" : ` -H tcp://${tcp} --tls=false`;
    const line = [
      `dockerd -H unix://${this.socket}${alsoTcp} --pidfile ${folder("docker.pid")}`,
      `--data-root ${folder("data")} --exec-root ${folder("run")} --cgroup-parent /${namespace}`,
      `--bip ${bridge} --default-address-pool base=${pool},size=29`,
    ].join(" ");
    const child = spawn("nsenter", insideNamespace(namespace, line.split(" ")), {
      detached: true,
      stdio: ["ignore", log, log],
    });
    child.on("error", () => undefined);
    child.unref();
    this.pid = child.pid ?? 0;
    const deadline = performance.now() + ANSWER_MS;
    while (!(await this.answers())) {
      if (performance.now() > deadline || !this.lives()) {
        const tail = readFileSync(folder("engine.log"), "utf8").slice(-2_000);
        throw new Error(`the engine in ${namespace} did not answer:\n${tail}`);
      }
      await sleep(POLL_MS);
    }
  }

  private async answers(): Promise<boolean> {
    return this.docker.ping().then(
      () => true,
      () => false,
    );
  }

  /** A zombie has no program any more. */
  private lives(): boolean {
    return spawnSync("readlink", [`/proc/${this.pid}/exe`]).status === 0;
  }

  /** Stops it in its tracks: it answers nobody, its containers go on. */
  freeze(): void {
    process.kill(this.pid, "SIGSTOP");
  }

  thaw(): void {
    process.kill(this.pid, "SIGCONT");
  }

  /** Ends the engine, and with it its containers. */
  async stop(): Promise<void> {
    if (this.pid === 0 || !this.lives()) return;
    process.kill(this.pid, "SIGTERM");
    const deadline = performance.now() + END_MS;
    while (this.lives() && performance.now() < deadline) await sleep(POLL_MS);
    if (this.lives()) process.kill(this.pid, "SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { namespace, directory } = this.options;
    await this.stop();
    for (const mount of mountsBelow(directory)) spawnSync("umount", ["-l", mount]);
    rmSync(directory, { recursive: true, force: true });
    for (const group of readdirSync("/sys/fs/cgroup")) {
      removeGroup(`/sys/fs/cgroup/${group}/${namespace}`);
    }
    removeGroup(`/sys/fs/cgroup/${namespace}`);
  }
}

function mountsBelow(directory: string): readonly string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(`${directory}/`))
    .toReversed();
}

function removeGroup(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Not there with this kind of control groups, or another process is still in it.
  }
}
