/**
 * A base image made from this machine's own Node (docker-lab 4, variant A), for machines that cannot pull one: node, the libraries it
 * is linked with, user table, name service order, certificates, and busybox as a shell when the machine has a static one.
 */
import { execFileSync } from "node:child_process";
import { createReadStream, existsSync, realpathSync, statSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type Docker from "dockerode";
import { pack, type Pack } from "tar-stream";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { finished } from "./engine-output.ts";

/** An image that exists on the engine. */
export interface BaseImage {
  readonly name: string;
  /** Where it comes from, in words. */
  readonly origin: string;
}

const REPOSITORY = "rocketmq-lab/node-base";
const BUSYBOX = ["/bin/busybox", "/usr/bin/busybox"];
/** Applets worth a name; all others are one `busybox NAME` away. */
const APPLETS = ["sh", "cat", "env", "ls", "pidof", "kill", "ps", "wget", "nc", "df", "du", "tail"];
const LDD_MS = 10_000;
/** Before glibc 2.34 these were libraries of their own, loaded by name and invisible to ldd. */
const NAME_SERVICE = ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"];

const TEXT_FILES: Readonly<Record<string, string>> = {
  "etc/passwd":
    "root:x:0:0:root:/root:/bin/sh\nrocketmq:x:10001:10001::/data:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
  "etc/group": "root:x:0:\nrocketmq:x:10001:\nnogroup:x:65534:\n",
  // Without this line glibc may ask DNS before /etc/hosts, where a lab's fixed addresses stand.
  "etc/nsswitch.conf": "hosts: files dns\n",
};
const FOLDERS = [
  "proc",
  "sys",
  "dev",
  "root",
  "app",
  "etc",
  "usr",
  "usr/local",
  "usr/local/bin",
  "bin",
];

function isStatic(program: string): boolean {
  try {
    const options = { encoding: "utf8", timeout: LDD_MS, stdio: "pipe" } as const;
    return !execFileSync("ldd", [program], options).includes("=>");
  } catch {
    // ldd exits 1 for a program that is not dynamic.
    return true;
  }
}

/** @returns path of a busybox without libraries, or undefined */
function findBusybox(): string | undefined {
  return BUSYBOX.find((path) => existsSync(path) && isStatic(path));
}

/** @returns paths of the libraries a program of this machine is linked with, and of those glibc loads by name */
export function linkedLibraries(program: string): readonly string[] {
  const output = execFileSync("ldd", [program], { encoding: "utf8", timeout: LDD_MS });
  const linked = [...output.matchAll(/(\/[^ )\n]+)/g)].map((match) => match[1] ?? "");
  const besides = linked
    .filter((path) => path.endsWith("/libc.so.6"))
    .flatMap((path) => NAME_SERVICE.map((name) => path.replace(/libc\.so\.6$/, name)))
    .filter((path) => existsSync(path));
  return [...new Set([...linked, ...besides])];
}

function addText(tar: Pack, name: string, text: string): void {
  tar.entry({ name, mode: 0o644 }, text);
}

/** Streams a file of this machine, links followed, into a tar, executable for everyone. */
export async function addFile(tar: Pack, from: string, name: string): Promise<void> {
  const real = realpathSync(from);
  const entry = tar.entry({ name, mode: 0o755, size: statSync(real).size });
  await pipeline(createReadStream(real), entry);
}

async function fill(tar: Pack, node: string, busybox: string | undefined): Promise<void> {
  for (const folder of FOLDERS) tar.entry({ name: `${folder}/`, type: "directory", mode: 0o755 });
  tar.entry({ name: "tmp/", type: "directory", mode: 0o1777 });
  for (const [name, text] of Object.entries(TEXT_FILES)) addText(tar, name, text);
  await addFile(tar, node, "usr/local/bin/node");
  for (const library of linkedLibraries(node)) await addFile(tar, library, library.slice(1));
  if (busybox !== undefined) {
    await addFile(tar, busybox, "bin/busybox");
    for (const applet of APPLETS)
      tar.entry({ name: `bin/${applet}`, type: "symlink", linkname: "busybox" });
    tar.entry({ name: "usr/bin/", type: "directory", mode: 0o755 });
    tar.entry({ name: "usr/bin/env", type: "symlink", linkname: "../../bin/busybox" });
  }
  tar.finalize();
}

async function exists(docker: Docker, name: string): Promise<boolean> {
  try {
    await docker.getImage(name).inspect();
    return true;
  } catch {
    return false;
  }
}

/**
 * @param docker engine of this machine
 * @returns the image, made now or earlier
 * @throws EngineError DOCKER_IMAGE_FAILED where this machine's Node cannot run in a Linux container
 */
export async function offlineBase(docker: Docker): Promise<BaseImage> {
  if (process.platform !== "linux") {
    throw new EngineError("DOCKER_IMAGE_FAILED", {
      message: `without a registry the base image is made from this machine's own Node, and that of ${process.platform} does not run in a Linux container`,
      hint: "connect to a registry once, or use `--runtime process`",
    });
  }
  const node = realpathSync(process.execPath);
  const busybox = findBusybox();
  const shell = busybox === undefined ? "no shell: this machine has no static busybox" : "busybox";
  const tag = `${process.version}-${process.arch}${busybox === undefined ? "-noshell" : ""}`;
  const name = `${REPOSITORY}:${tag}`;
  const origin = `this machine's Node ${process.version}, ${shell}`;
  if (await exists(docker, name)) return { name, origin };
  const tar = pack();
  const filling = fill(tar, node, busybox);
  const changes = [
    "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    'CMD ["node"]',
    "LABEL lab.image=base",
  ];
  const [stream] = await Promise.all([
    docker.importImage(Readable.from(tar), { repo: REPOSITORY, tag, changes }),
    filling,
  ]);
  await finished(docker, stream);
  return { name, origin };
}
