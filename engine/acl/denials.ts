/** Refused requests, counted by peer and key (E-06): who fails often waits for each answer, and the log is not flooded (F-35). */
import type { Logger } from "../base/logger.ts";

const WINDOW_MS = 60_000;
/** From this many failures within the window on, answers of the peer are delayed. */
const FAILURES_MAX = 10;
const DELAY_MS = 1_000;
/** Peers remembered; beyond that the oldest is forgotten. */
const PEERS_MAX = 10_000;
/** Keys remembered of one peer. */
const KEYS_MAX = 100;
const LOG_MS = 10_000;

interface Peer {
  sinceMs: number;
  failures: number;
  loggedMs: number;
  readonly byKey: Map<string, number>;
}

/** A request that is not served. */
export interface Denial {
  /** Address without port. */
  readonly peer: string;
  readonly accessKey: string | undefined;
  readonly code: number;
  readonly reason: string;
}

/** One a server. */
export class Denials {
  private readonly logger: Logger;
  private readonly now: () => number;
  private readonly peers = new Map<string, Peer>();

  /** @param now monotonic clock, ms */
  constructor(logger: Logger, now: () => number) {
    this.logger = logger;
    this.now = now;
  }

  /** @returns how long the answer must wait, ms */
  note(denial: Denial): number {
    const now = this.now();
    const peer = this.peerOf(denial.peer, now);
    peer.failures += 1;
    const ofKey = this.countKey(peer, denial.accessKey ?? "");
    if (now - peer.loggedMs >= LOG_MS) {
      peer.loggedMs = now;
      const { reason, code, accessKey } = denial;
      const counts = { failures: peer.failures, failuresOfKey: ofKey };
      const fields = { peer: denial.peer, key: accessKey, code, reason, ...counts };
      this.logger.warn("a request was refused by access control", fields);
    }
    return peer.failures > FAILURES_MAX ? DELAY_MS : 0;
  }

  private countKey(peer: Peer, key: string): number {
    const count = (peer.byKey.get(key) ?? 0) + 1;
    if (count > 1 || peer.byKey.size < KEYS_MAX) peer.byKey.set(key, count);
    return count;
  }

  private peerOf(address: string, now: number): Peer {
    const known = this.peers.get(address);
    if (known !== undefined && now - known.sinceMs < WINDOW_MS) return known;
    const fresh: Peer = {
      sinceMs: now,
      failures: 0,
      loggedMs: known?.loggedMs ?? -LOG_MS,
      byKey: new Map(),
    };
    this.peers.delete(address);
    this.peers.set(address, fresh);
    if (this.peers.size > PEERS_MAX) {
      const [oldest] = this.peers.keys();
      if (oldest !== undefined) this.peers.delete(oldest);
    }
    return fresh;
  }
}
