/** Message ids (remoting-protocol 4.1.9): where a message stands (offset id), and what its producer calls it (unique id). */
import { isIPv4, isIPv6 } from "node:net";
import { EngineError } from "../base/engine-error.ts";

/** An offset id taken apart. */
export interface OffsetMessageId {
  readonly address: Buffer;
  readonly port: number;
  readonly physicalOffset: number;
}

/** @returns 4 or 16 bytes of a numeric address @throws EngineError MESSAGE_INVALID for anything else */
export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  if (!isIPv6(address))
    throw new EngineError("MESSAGE_INVALID", { message: `"${address}" is no IP address` });
  const [head = "", tail] = address.split("%")[0]?.split("::") ?? [""];
  const groups = (text: string | undefined): number[] =>
    text === undefined || text === ""
      ? []
      : text.split(":").map((group) => Number.parseInt(group, 16));
  const first = groups(head);
  const last = groups(tail);
  const all =
    tail === undefined
      ? first
      : [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
  const bytes = Buffer.alloc(16);
  all.forEach((group, i) => bytes.writeUInt16BE(group, i * 2));
  return bytes;
}

/** @returns the numeric address of 4 or 16 bytes */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return [...bytes].join(".");
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return groups.join(":");
}

/** @returns upper-case hex of an address and its port, the head of every offset id of one broker */
export function hostHex(address: Uint8Array, port: number): string {
  const bytes = Buffer.alloc(address.length + 4);
  bytes.set(address);
  bytes.writeInt32BE(port, address.length);
  return bytes.toString("hex").toUpperCase();
}

/** @returns the offset id: 32 or 56 characters */
export function offsetMessageId(
  host: { readonly address: Uint8Array; readonly port: number },
  physicalOffset: number,
): string {
  return (
    hostHex(host.address, host.port) + physicalOffset.toString(16).toUpperCase().padStart(16, "0")
  );
}

/** @throws EngineError MESSAGE_INVALID when the text is no offset id */
export function parseOffsetMessageId(id: string): OffsetMessageId {
  if (!/^([0-9A-Fa-f]{32}|[0-9A-Fa-f]{56})$/.test(id)) {
    throw new EngineError("MESSAGE_INVALID", {
      message: `"${id.slice(0, 60)}" is no offset message id`,
    });
  }
  const bytes = Buffer.from(id, "hex");
  const addressLength = bytes.length - 12;
  const physicalOffset = Number(bytes.readBigInt64BE(addressLength + 4));
  return {
    address: bytes.subarray(0, addressLength),
    port: bytes.readInt32BE(addressLength),
    physicalOffset,
  };
}

/** Makes unique ids in the layout of Java's client: address, pid, a number per process, ms since the month began, counter. */
export class UniqueIdGenerator {
  private readonly prefix: string;
  private counter = 0;
  private monthStartMs = 0;
  private nextMonthMs = 0;

  /** @param parts address of the client (4 or 16 bytes), process id, a number that differs between two of one pid */
  constructor(parts: {
    readonly address: Uint8Array;
    readonly pid: number;
    readonly salt: number;
  }) {
    const tail = Buffer.alloc(6);
    tail.writeUInt16BE(parts.pid & 0xffff, 0);
    tail.writeInt32BE(parts.salt | 0, 2);
    this.prefix = (Buffer.from(parts.address).toString("hex") + tail.toString("hex")).toUpperCase();
  }

  /** @param nowMs wall clock @returns the next id */
  next(nowMs: number): string {
    if (nowMs >= this.nextMonthMs || nowMs < this.monthStartMs) this.startMonth(nowMs);
    this.counter = (this.counter + 1) & 0xffff;
    const since = nowMs - this.monthStartMs;
    return (
      this.prefix +
      since.toString(16).toUpperCase().padStart(8, "0") +
      this.counter.toString(16).toUpperCase().padStart(4, "0")
    );
  }

  private startMonth(nowMs: number): void {
    const now = new Date(nowMs);
    this.monthStartMs = new Date(now.getFullYear(), now.getMonth(), 1).getTime();
    this.nextMonthMs = new Date(now.getFullYear(), now.getMonth() + 1, 1).getTime();
  }
}
