/** Measurements from inside a node's network namespace. */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createAdminClient } from "../../../engine/admin/index.ts";
import type { ConnectOutcome } from "./protocol.ts";

const CONNECT_MS = 1_200;
const ASK_MS = 20_000;
const ASK_SAMPLES = 3;
/** The discard port: nothing listens there, the datagrams only have to pass the rules. */
const DISCARD = 9;
const BURST_GAP = 20;
/** Column of /proc/net/dev after the name. */
const TX_BYTES = 8;
const POUR_MS = 1_500;
const POUR_BYTES = 1_200;
const POUR_BATCH = 40;

/**
 * @param host address
 * @param port number
 * @returns how a TCP connection attempt ended; no answer within 1.2 s is `blocked`
 */
export function connectOutcome(host: string, port: number): Promise<ConnectOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (outcome: ConnectOutcome): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(CONNECT_MS, () => end("blocked"));
    socket.once("connect", () => end("connected"));
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" || error.code === "ECONNRESET") end("refused");
      else end(error.code === "ETIMEDOUT" ? "blocked" : "unreachable");
    });
  });
}

/**
 * @param address `host:port`
 * @param role what answers there
 * @returns milliseconds of the fastest of three requests over one connection
 */
export async function roundTripMs(address: string, role: "namesrv" | "broker"): Promise<number> {
  const admin = createAdminClient({ namesrvAddrs: [address], timeoutMs: ASK_MS });
  const ask = async (): Promise<unknown> =>
    role === "namesrv" ? admin.clusterInfo(address) : admin.runtimeInfo(address);
  try {
    await ask();
    const times: number[] = [];
    for (let sample = 0; sample < ASK_SAMPLES; sample += 1) {
      const begun = performance.now();
      await ask();
      times.push(performance.now() - begun);
    }
    return Math.min(...times);
  } finally {
    admin.close();
  }
}

function send(socket: UdpSocket, payload: Buffer, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    socket.send(payload, DISCARD, host, (error) => resolve(error === null));
  });
}

/** Sends datagrams to the discard port. @returns how many the kernel took */
export async function burst(host: string, count: number): Promise<number> {
  const socket = createSocket("udp4");
  const payload = Buffer.alloc(32);
  let sent = 0;
  try {
    for (let index = 0; index < count; index += 1) {
      if (await send(socket, payload, host)) sent += 1;
      if (index % BURST_GAP === 0) await sleep(1);
    }
    return sent;
  } finally {
    socket.close();
  }
}

/** Bytes an interface of this network namespace has sent, behind its shaper. */
function sentBytes(device: string): number {
  const line = readFileSync("/proc/net/dev", "utf8")
    .split("\n")
    .find((candidate) => candidate.trim().startsWith(`${device}:`));
  return Number(line?.split(":")[1]?.trim().split(/\s+/)[TX_BYTES] ?? 0);
}

/**
 * Sends as fast as it can for 1.5 s.
 * @param host where to
 * @param device interface on the way there
 * @returns bits a second that left by the interface
 */
export async function pour(host: string, device: string): Promise<number> {
  const socket = createSocket("udp4");
  const payload = Buffer.alloc(POUR_BYTES);
  const before = sentBytes(device);
  const begun = performance.now();
  try {
    while (performance.now() - begun < POUR_MS) {
      await Promise.all(Array.from({ length: POUR_BATCH }, () => send(socket, payload, host)));
      await sleep(1);
    }
    const seconds = (performance.now() - begun) / 1_000;
    return ((sentBytes(device) - before) * 8) / seconds;
  } finally {
    socket.close();
  }
}
