/**
 * What a test needs from the machine. In CI everything must be there: a missing part fails. Elsewhere the suite is left out
 * and says so loudly.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { networkInterfaces } from "node:os";

export type Requirement =
  | "docker"
  | "docker-compose"
  | "java"
  | "maven"
  | "go"
  | "ipv6"
  | "chromium"
  | "linux"
  | "zsh"
  | "fish"
  | "private-engine"
  | "sshd"
  | "loop-disks";

const CHECKS: Readonly<Record<Requirement, () => boolean>> = {
  docker: () =>
    spawnSync("docker", ["version", "--format", "{{.Server.Version}}"], { timeout: 10_000 })
      .status === 0,
  "docker-compose": () =>
    spawnSync("docker", ["compose", "version"]).status === 0 ||
    spawnSync("docker-compose", ["version"]).status === 0,
  java: () => spawnSync("javac", ["-version"]).status === 0,
  go: () => spawnSync("go", ["version"]).status === 0,
  ipv6: () =>
    Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1")),
  maven: () => spawnSync("mvn", ["-v"]).status === 0,
  // See private-engine.ts.
  "private-engine": () =>
    process.getuid?.() === 0 &&
    ["dockerd --version", "ip -V", "nsenter -V"].every(
      (line) => spawnSync("sh", ["-c", line]).status === 0,
    ),
  // See lab/runtime/docker/node-disks.ts.
  "loop-disks": () =>
    process.getuid?.() === 0 &&
    ["losetup --version", "mkfs.ext4 -V", "e2fsck -V"].every(
      (line) => spawnSync("sh", ["-c", `PATH=$PATH:/usr/sbin:/sbin ${line}`]).status === 0,
    ),
  sshd: () => existsSync("/usr/sbin/sshd"),
  chromium: () => chromiumPath() !== undefined,
  zsh: () => spawnSync("zsh", ["-f", "-c", "zmodload zsh/zpty"]).status === 0,
  fish: () => spawnSync("fish", ["--version"]).status === 0,
  linux: () => process.platform === "linux",
};

/** @returns the browser the smoke tests drive, or undefined */
export function chromiumPath(): string | undefined {
  const candidates = [
    process.env["CHROMIUM"],
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
  ];
  return candidates.find((path) => path !== undefined && existsSync(path));
}

/**
 * @param needs what the suite cannot do without
 * @returns true when all is there; false outside CI when something is missing (after saying so)
 * @throws Error in CI when something is missing
 */
export function machineHas(...needs: readonly Requirement[]): boolean {
  const missing = needs.filter((need) => !CHECKS[need]());
  if (missing.length === 0) return true;
  const text = `LEFT OUT: this machine has no ${missing.join(", no ")}`;
  if (
    process.env["CI"] !== undefined &&
    process.env["CI"] !== "" &&
    process.env["CI"] !== "false"
  ) {
    throw new Error(`${text}; in CI every suite must run`);
  }
  process.stderr.write(`\n!!! ${text}\n\n`);
  return false;
}
