import type { Socket } from "node:net";
import type { Logger } from "../base/logger.ts";
import type { ReplicaLog } from "../store/store-api.ts";
import type { HaClient, HaClientOffsets } from "./ha-api.ts";
import { HaSession, type SessionEnd } from "./ha-session.ts";
import {
  BAD_ROUNDS_MAX,
  countBadRound,
  moved,
  retryPause,
  type BadRounds,
  type HaClientState,
  type RetryPauses,
} from "./ha-state.ts";

/** The defaults of 4.9 (store-and-ha 7.2, appendix A), but for the first pauses: 4.9 always waits 5 s. */
const HEARTBEAT_MS = 5_000;
const HOUSEKEEPING_MS = 20_000;
const CONNECT_TIMEOUT_MS = 5_000;
const RETRY: RetryPauses = { firstMs: 100, maxMs: 5_000 };

/** Wiring of the slave side. */
export interface HaClientOptions {
  readonly log: ReplicaLog;
  readonly logger: Logger;
  /** Report durable records only: with flushDiskType=SYNC_FLUSH on the slave (H-06). Default false, as 4.9. */
  readonly ackFlushed?: boolean;
  /** haSendHeartbeatInterval, ms. */
  readonly heartbeatMs?: number;
  /** haHousekeepingInterval, ms: a master silent for longer is gone. */
  readonly housekeepingMs?: number;
  readonly connectTimeoutMs?: number;
  readonly retry?: RetryPauses;
  /** Opens an encrypted connection (E-13); its `secureConnect` says that it stands. Default: plain, as 4.9. */
  readonly secure?: ((host: string, port: number) => Socket) | undefined;
  readonly onStateChanged?: (state: HaClientState) => void;
  /** Monotonic clock, ms. */
  readonly now?: () => number;
}

function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[|\]$/g, "");
  return { host, port: Number(address.slice(colon + 1)) };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

class MasterFollower implements HaClient {
  private readonly options: HaClientOptions;
  private readonly now: () => number;
  private readonly retry: RetryPauses;
  private readonly timer: NodeJS.Timeout;
  private current: HaClientState = "idle";
  private address: string | null = null;
  private session: HaSession | null = null;
  private retryTimer: NodeJS.Timeout | undefined;
  private failures = 0;
  private badRounds: BadRounds | null = null;
  private last = { reported: -1, masterSent: -1 };

  constructor(options: HaClientOptions) {
    this.options = options;
    this.now = options.now ?? (() => performance.now());
    this.retry = options.retry ?? RETRY;
    const period = Math.min(1_000, (options.heartbeatMs ?? HEARTBEAT_MS) / 5);
    this.timer = setInterval(() => this.session?.tick(), period);
    this.timer.unref();
    options.log.onFlushed((offset) => this.session?.flushed(offset));
  }

  get state(): HaClientState {
    return this.current;
  }

  get masterAddress(): string | null {
    return this.address;
  }

  get offsets(): HaClientOffsets {
    const { session } = this;
    return {
      verified: session?.verifiedOffset ?? this.options.log.writtenOffset,
      reported: session?.reportedOffset ?? this.last.reported,
      masterSent: session?.masterSentOffset ?? this.last.masterSent,
      silentMs: session?.silentMs ?? null,
    };
  }

  setMaster(address: string | null): void {
    if (address === this.address || this.current === "failed") return;
    this.address = address;
    this.failures = 0;
    this.badRounds = null;
    if (!this.leaveMaster()) return;
    this.move("idle");
    if (address === null) return;
    this.options.logger.info("following a master", { master: address });
    this.move("connecting");
    this.open(address);
  }

  stop(): Promise<void> {
    clearInterval(this.timer);
    this.setMaster(null);
    return Promise.resolve();
  }

  private move(to: HaClientState): void {
    if (to === this.current) return;
    this.current = moved(this.current, to);
    this.options.onStateChanged?.(to);
  }

  private open(address: string): void {
    try {
      this.session = this.makeSession(address);
    } catch (error) {
      // An address no socket takes, for example a port of 0: the name server may know better later.
      this.tryAgain(textOf(error));
    }
  }

  private makeSession(address: string): HaSession {
    const { options } = this;
    return new HaSession({
      ...splitAddress(address),
      log: options.log,
      now: this.now,
      heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
      housekeepingMs: options.housekeepingMs ?? HOUSEKEEPING_MS,
      connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      ackFlushed: options.ackFlushed ?? false,
      secure: options.secure,
      onFollowing: () => {
        this.failures = 0;
        this.move("following");
      },
      onEnd: (end, reason) => this.sessionEnded(end, reason),
    });
  }

  /** Cuts the connection and the half-received record it leaves behind (H-06). @returns false when the log failed at that */
  private leaveMaster(): boolean {
    clearTimeout(this.retryTimer);
    const { session } = this;
    if (session === null) return true;
    this.last = { reported: session.reportedOffset, masterSent: session.masterSentOffset };
    session.close();
    this.session = null;
    try {
      this.options.log.dropPartialRecord();
      return true;
    } catch (error) {
      this.fail(textOf(error));
      return false;
    }
  }

  private sessionEnded(end: SessionEnd, reason: string): void {
    if (!this.leaveMaster()) return;
    if (end === "failed") this.fail(reason);
    else if (end === "bad") this.roundWasBad(reason);
    else this.tryAgain(reason);
  }

  private fail(reason: string): void {
    this.options.logger.error("replication stopped: the own log failed", { reason });
    this.move("failed");
  }

  /** H-05: back off; the third time at the same place is a divergence, and nothing is tried again until the master changes. */
  private roundWasBad(reason: string): void {
    const rounds = countBadRound(this.badRounds, this.options.log.writtenOffset);
    this.badRounds = rounds;
    this.failures = rounds.count - 1;
    if (rounds.count < BAD_ROUNDS_MAX) {
      this.tryAgain(reason);
      return;
    }
    this.options.logger.error(
      "DIVERGED: this slave's log is not a beginning of its master's; replication stopped. Set the slave up anew",
      { master: this.address, atOffset: rounds.atOffset, reason },
    );
    this.move("diverged");
  }

  private tryAgain(reason: string): void {
    const { address } = this;
    if (address === null) return;
    this.failures += 1;
    const pauseMs = retryPause(this.failures, this.retry);
    // One line when a working connection goes, one when the pauses have reached their maximum; not one an attempt.
    const isNews = this.current === "following" || pauseMs < this.retry.maxMs;
    const fields = { master: address, reason, pauseMs };
    if (isNews) this.options.logger.warn("replication connection lost", fields);
    else this.options.logger.debug("replication connection lost", fields);
    this.move("connecting");
    this.retryTimer = setTimeout(() => this.open(address), pauseMs);
  }
}

/** @param options own log and intervals @returns the slave side of replication, idle until a master is set */
export function createHaClient(options: HaClientOptions): HaClient {
  return new MasterFollower(options);
}
