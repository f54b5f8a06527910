/**
 * Two servers on one machine (docker-lab 11): two network namespaces, each with a Docker Engine and an address of its own, and a third one for the
 * person who runs `lab`; a bridge is the internet between the three. Nothing of this machine's own network is touched. Needs to be root on Linux.
 *
 *   laptop 198.51.100.193 ──┐
 *   host-1 198.51.100.194 ──┼── labwan
 *   host-2 198.51.100.195 ──┘
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startChild, type LineChild } from "./child.ts";
import { NamespaceEngine, insideNamespace } from "./namespace-engine.ts";
import { runToEnd, succeeded, type CommandRun } from "./run-to-end.ts";

const COMMAND_MS = 170_000;
const LAB = resolve("dist/lab.mjs");
const HOSTS_LINE = "hosts: [host-1, host-2]";
const SSH_PORT = 2_222;
const TCP_PORT = 2_375;
let count = 0;

/** One of the servers. */
export interface TestServer {
  readonly host: string;
  readonly address: string;
  readonly namespace: string;
  readonly engine: NamespaceEngine;
}

function ip(...args: readonly string[]): string {
  return execFileSync("ip", [...args], { encoding: "utf8" });
}

/** See the file's head. */
export class TwoServers implements AsyncDisposable {
  readonly servers: readonly TestServer[];
  readonly directory: string;
  private readonly name: string;
  private sshd: LineChild | undefined;

  private constructor() {
    count += 1;
    this.name = `labtwo${process.pid}-${count}`;
    this.directory = mkdtempSync(join(tmpdir(), "lab-two-servers-"));
    this.servers = [1, 2].map((number) => {
      const namespace = `${this.name}-h${number}`;
      const address = `198.51.100.${193 + number}`;
      const engine = new NamespaceEngine({
        tcp: `${address}:${TCP_PORT}`,
        namespace,
        directory: join(this.directory, `h${number}`),
        bridge: `198.51.100.${201 + number * 8}/29`,
        pool: `198.51.100.${208 + number * 16}/28`,
      });
      return { host: `host-${number}`, address, namespace, engine };
    });
  }

  static async start(): Promise<TwoServers> {
    const made = new TwoServers();
    try {
      made.wire();
      for (const { engine } of made.servers) await engine.start();
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  private get laptop(): string {
    return `${this.name}-me`;
  }

  private wire(): void {
    ip("netns", "add", this.laptop);
    const here = ["-n", this.laptop];
    ip(...here, "link", "set", "lo", "up");
    ip(...here, "link", "add", "labwan", "type", "bridge");
    ip(...here, "addr", "add", "198.51.100.193/28", "dev", "labwan");
    ip(...here, "link", "set", "labwan", "up");
    for (const { host, address, namespace } of this.servers) {
      ip("netns", "add", namespace);
      const pair = ["link", "add", `v${host}`, "type", "veth", "peer", "name", "eth0"];
      ip(...here, ...pair, "netns", namespace);
      ip(...here, "link", "set", `v${host}`, "master", "labwan", "up");
      ip("-n", namespace, "link", "set", "lo", "up");
      ip("-n", namespace, "addr", "add", `${address}/28`, "dev", "eth0");
      ip("-n", namespace, "link", "set", "eth0", "up");
    }
  }

  /**
   * Makes a topology of a preset whose hosts are these servers.
   * @param over `unix`: both engines are reached by their sockets; `network`: the first over TCP, the second over ssh
   * @returns its folder
   */
  topology(preset: string, over: "unix" | "network" = "unix"): string {
    const folder = join(this.directory, `servers-${preset}-${over}`);
    if (existsSync(folder)) return folder;
    execFileSync(process.execPath, [LAB, "init", folder, "--from", preset], { stdio: "ignore" });
    const file = join(folder, "topology.yaml");
    const text = readFileSync(file, "utf8");
    if (!text.includes(HOSTS_LINE)) throw new Error(`${preset} has no line "${HOSTS_LINE}"`);
    const entries = this.servers.map(({ host, address, engine }, index) => {
      const far = [
        `tcp://${address}:${TCP_PORT}`,
        `ssh://root@${address}:${SSH_PORT}${engine.socket}`,
      ][index];
      const at = over === "network" ? far : `unix://${engine.socket}`;
      return `  - { name: ${host}, engine: "${at ?? ""}", address: ${address} }`;
    });
    writeFileSync(file, text.replace(HOSTS_LINE, ["hosts:", ...entries].join("\n")));
    return folder;
  }

  /** An ssh server on the second host that lets in one key, and an `ssh` on the lab's path that knows both. */
  async startSsh(): Promise<void> {
    const folder = join(this.directory, "ssh");
    mkdirSync(folder, { mode: 0o700 });
    mkdirSync("/run/sshd", { recursive: true });
    const path = (name: string): string => join(folder, name);
    for (const key of ["host", "user"]) {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path(key)]);
    }
    const [, second] = this.servers;
    if (second === undefined) throw new Error("there is no second server");
    const hostKey = readFileSync(path("host.pub"), "utf8").trim();
    writeFileSync(path("known_hosts"), `[${second.address}]:${SSH_PORT} ${hostKey}\n`);
    const server = [`HostKey ${path("host")}`, `AuthorizedKeysFile ${path("user.pub")}`];
    const lines = [`ListenAddress ${second.address}:${SSH_PORT}`, "PidFile none", "UsePAM no"];
    const rest = [
      "StrictModes no",
      "PermitRootLogin prohibit-password",
      "PasswordAuthentication no",
    ];
    writeFileSync(path("sshd_config"), [...server, ...lines, ...rest, ""].join("\n"));
    const client = [`IdentityFile ${path("user")}`, `UserKnownHostsFile ${path("known_hosts")}`];
    writeFileSync(path("config"), ["Host *", ...client, "IdentitiesOnly yes", ""].join("\n"));
    writeFileSync(path("ssh"), `#!/bin/sh\nexec /usr/bin/ssh -F ${path("config")} "$@"\n`);
    chmodSync(path("ssh"), 0o755);
    const argv = ["/usr/sbin/sshd", "-D", "-e", "-f", path("sshd_config")];
    this.sshd = startChild("nsenter", insideNamespace(second.namespace, argv));
    await this.sshd.waitForLine((line) => line.includes("Server listening"), COMMAND_MS);
  }

  /** @returns how many tunnels to the second server are open */
  tunnels(): number {
    const { stdout } = spawnSync("ip", ["netns", "pids", this.laptop], { encoding: "utf8" });
    const pids = stdout.split("\n").filter(Boolean);
    return pids.filter((pid) => {
      const { stdout: name } = spawnSync("cat", [`/proc/${pid}/comm`], { encoding: "utf8" });
      return name.trim() === "ssh";
    }).length;
  }

  /** From now on the second server's ssh is a stranger's. */
  forgetHostKey(): void {
    writeFileSync(join(this.directory, "ssh", "known_hosts"), "");
  }

  private environment(): NodeJS.ProcessEnv {
    return {
      // No engine of this machine may be used by mistake.
      DOCKER_HOST: "unix:///nowhere/docker.sock",
      LAB_HOME: join(this.directory, "labs"),
      PATH: `${join(this.directory, "ssh")}:${process.env["PATH"] ?? ""}`,
      NO_COLOR: "1",
      CI: "1",
    };
  }

  /** Starts a `lab` command on the laptop. */
  start(...args: readonly string[]): LineChild {
    const argv = insideNamespace(this.laptop, [process.execPath, LAB, ...args]);
    return startChild("nsenter", argv, { env: this.environment(), cwd: this.directory });
  }

  /** Runs a `lab` command on the laptop to its end. */
  async run(...args: readonly string[]): Promise<CommandRun> {
    const argv = insideNamespace(this.laptop, [process.execPath, LAB, ...args]);
    const options = { env: this.environment(), cwd: this.directory, timeoutMs: COMMAND_MS };
    return runToEnd(["nsenter", ...argv], options);
  }

  /** Runs a `lab` command that must succeed. @returns what it printed on standard output */
  async ok(...args: readonly string[]): Promise<string> {
    return succeeded(args, await this.run(...args));
  }

  /** Containers, networks but Docker's own, and volumes of both servers, one line each. */
  async everything(): Promise<readonly string[]> {
    const all = await Promise.all(
      this.servers.map(async ({ host, engine: { docker } }) => {
        const containers = await docker.listContainers({ all: true });
        const networks = await docker.listNetworks();
        const { Volumes: volumes } = await docker.listVolumes();
        return [
          ...containers.map(({ Names, Id }) => `${host} container ${Names[0] ?? Id}`),
          ...networks.map(({ Name }) => `${host} network ${Name}`),
          ...(volumes ?? []).map(({ Name }) => `${host} volume ${Name}`),
        ];
      }),
    );
    return all.flat().toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sshd?.[Symbol.asyncDispose]();
    for (const { engine, namespace } of this.servers) {
      await engine[Symbol.asyncDispose]();
      spawnSync("ip", ["netns", "del", namespace]);
    }
    spawnSync("ip", ["netns", "del", this.laptop]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
