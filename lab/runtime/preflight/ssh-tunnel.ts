/**
 * A server's Docker socket as a socket of this machine: `ssh -L`, with the user's own configuration, keys and known hosts. The remote command
 * reads what this process never writes, so the tunnel ends with this process, also when that is killed.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identify } from "../process-identity.ts";

/** Where an engine listens unless the address says otherwise. */
const SOCKET = "/var/run/docker.sock";
/** Of the folders the sockets are in; then comes the pid of the command. */
const PREFIX = "lab-ssh-";
const READY = "lab-tunnel-ready";
const CONNECT_S = 10;
const OPEN_MS = 20_000;

/**
 * @param address `ssh://[USER@]HOST[:PORT][/PATH of the engine's socket]`
 * @param local socket to make
 * @returns arguments of ssh. Nothing is ever asked of the user: a password or an unknown host key is a failure
 */
export function tunnelArguments(address: string, local: string): readonly string[] {
  const { hostname, port, username, pathname } = new URL(address);
  const remote = pathname === "" || pathname === "/" ? SOCKET : pathname;
  return [
    "-T",
    ...["BatchMode=yes", `ConnectTimeout=${CONNECT_S}`, "ExitOnForwardFailure=yes"].flatMap(
      (option) => ["-o", option],
    ),
    ...["ServerAliveInterval=15", "ControlMaster=no", "ControlPath=none"].flatMap((option) => [
      "-o",
      option,
    ]),
    ...(port === "" ? [] : ["-p", port]),
    ...(username === "" ? [] : ["-l", decodeURIComponent(username)]),
    "-L",
    `${local}:${remote}`,
    // No name of a host is an option.
    "--",
    hostname,
    `echo ${READY} && exec cat >/dev/null`,
  ];
}

function opened(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    const fail = (reason: string): void => {
      clearTimeout(timer);
      child.kill();
      reject(new Error(said.trim() === "" ? reason : said.trim().split("\n").slice(-3).join("; ")));
    };
    const timer = setTimeout(() => fail(`ssh was not through after ${OPEN_MS / 1_000} s`), OPEN_MS);
    child.once("error", (error) => fail(`ssh cannot be started: ${error.message}`));
    child.once("exit", (code) => fail(`ssh ended with ${code ?? "a signal"}`));
    child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.stdout?.on("data", (chunk: Buffer) => {
      if (!chunk.toString().includes(READY)) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

/** The tunnel must not keep a command alive that has done its work. */
function letGo(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) {
    if (stream !== null && "unref" in stream) (stream as { unref(): void }).unref();
  }
}

/** Folders of commands that were killed; their tunnels ended with them. */
function removeStale(): void {
  const found = readdirSync(tmpdir()).filter((name) => name.startsWith(PREFIX));
  for (const name of found) {
    const pid = Number(name.slice(PREFIX.length).split("-")[0]);
    if (Number.isInteger(pid) && identify(pid) === null)
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/**
 * @param address of the server's engine
 * @returns path of the local socket, for as long as this process lives
 * @throws Error with what ssh said
 */
export async function openTunnel(address: string): Promise<string> {
  removeStale();
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const local = join(folder, "docker.sock");
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const child = spawn("ssh", [...tunnelArguments(address, local)], {
    stdio: ["pipe", "pipe", "pipe"],
    // Ctrl-C is the command's business: it still has to heal and clean up through the tunnel.
    detached: true,
  });
  child.stdin.on("error", () => undefined);
  process.once("exit", () => {
    child.kill();
    remove();
  });
  try {
    await opened(child);
  } catch (error) {
    remove();
    throw error;
  }
  letGo(child);
  return local;
}
