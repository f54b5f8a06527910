/**
 * H-09: a SYNC_MASTER that comes back after an unclean stop asks its slaves for what its own log may have lost, before it serves anybody. In 4.9 the
 * slave keeps the old bytes, the master writes others at the same offsets, and the two logs differ for ever without a word.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "../base/engine-error.ts";
import type { Logger } from "../base/logger.ts";
import { decodeClusterInfo } from "../remoting/bodies/route-data.ts";
import {
  decodeHeader,
  encodeHeader,
  type CommandSpec,
  type HeaderOf,
} from "../remoting/command-spec.ts";
import { GET_LOG_POSITION, READ_LOG } from "../remoting/commands/log-tail.ts";
import { REQUEST_CODE } from "../remoting/request-codes.ts";
import { RESPONSE_CODE } from "../remoting/response-codes.ts";
import type { RemotingClient } from "../remoting/server-api.ts";
import type { ReplicaLog } from "../store/store-api.ts";
import { namesrvAddresses, type BrokerConfig } from "./broker-config.ts";
import { crc32Of, LOG_COMPARE_BYTES_MAX } from "./log-compare.ts";

/** A peer that does not know our requests, for example 4.9's, does not answer. */
const ANSWER_MS = 1_000;
/** The whole cluster may be starting: slaves are looked for this often. */
const ASK_AGAIN_MS = 100;
const FETCH_MS = 10_000;
const FETCH_BYTES = 1_048_576;

type Position = HeaderOf<typeof GET_LOG_POSITION.response> & { readonly slave: string };

/** What recovering a tail needs. */
export interface TailRecoveryParts {
  readonly config: BrokerConfig;
  readonly remoting: RemotingClient;
  readonly logger: Logger;
}

/** One start's attempt. */
class TailRecovery {
  private readonly parts: TailRecoveryParts;
  private readonly log: ReplicaLog;
  /** Why a slave could not vouch for the log; last reason each. */
  private readonly reasons = new Map<string, string>();

  constructor(parts: TailRecoveryParts, log: ReplicaLog) {
    this.parts = parts;
    this.log = log;
  }

  async run(): Promise<void> {
    const positions = await this.askUntilAnswered();
    const ahead = positions
      .filter((position) => position.endOffset > this.log.writtenOffset)
      .toSorted((a, b) => b.endOffset - a.endOffset);
    for (const position of ahead) if (await this.takeFrom(position)) return;
    const isChecked = positions.length > 0 && ahead.length === 0;
    if (!isChecked) this.couldNotCheck();
  }

  /** Until every slave the name servers know has answered, at most masterRecoverWait. */
  private async askUntilAnswered(): Promise<readonly Position[]> {
    const deadline = performance.now() + this.parts.config.masterRecoverWait;
    for (;;) {
      const slaves = await this.slaves();
      const asked = await Promise.all(slaves.map((slave) => this.position(slave, 0, 0)));
      const positions = asked.filter((position) => position !== null);
      const isComplete = slaves.length > 0 && positions.length === slaves.length;
      if (isComplete || performance.now() > deadline) return positions;
      await sleep(ASK_AGAIN_MS);
    }
  }

  private async slaves(): Promise<readonly string[]> {
    const { config, remoting } = this.parts;
    const found = await Promise.all(
      namesrvAddresses(config).map(async (namesrv) => {
        try {
          const request = { code: REQUEST_CODE.GET_BROKER_CLUSTER_INFO };
          const { body } = await remoting.invoke(namesrv, request, ANSWER_MS);
          const brokers = body === null ? [] : decodeClusterInfo(body).brokers;
          const own = brokers.find(({ brokerName }) => brokerName === config.brokerName);
          return [...(own?.brokerAddrs ?? [])].flatMap(([id, address]) =>
            id === 0 ? [] : address,
          );
        } catch (error) {
          this.reasons.set(namesrv, error instanceof Error ? error.message : String(error));
          return [];
        }
      }),
    );
    return [...new Set(found.flat())];
  }

  /** @returns null when the slave gives none; why is kept */
  private async position(slave: string, from: number, to: number): Promise<Position | null> {
    const header = { compareFrom: from, compareTo: to };
    try {
      const { extFields } = await this.ask(slave, GET_LOG_POSITION, header, ANSWER_MS);
      this.reasons.delete(slave);
      return { ...decodeHeader(GET_LOG_POSITION.response, extFields), slave };
    } catch (error) {
      this.reasons.set(slave, error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  private async ask<Spec extends CommandSpec>(
    slave: string,
    spec: Spec,
    header: HeaderOf<Spec["request"]>,
    timeoutMs: number,
  ): ReturnType<RemotingClient["invoke"]> {
    const request = { code: spec.code, extFields: encodeHeader(spec.request, header) };
    const answer = await this.parts.remoting.invoke(slave, request, timeoutMs);
    if (answer.code === RESPONSE_CODE.SUCCESS) return answer;
    throw new EngineError("HA_PROTOCOL", {
      message: `${slave} answered ${spec.name} with code ${answer.code}: ${answer.remark ?? ""}`,
    });
  }

  /** @returns false when the slave's log is not a continuation of the own one, or it went away */
  private async takeFrom(position: Position): Promise<boolean> {
    const { log } = this;
    const { logger } = this.parts;
    const { slave, endOffset } = position;
    const own = log.writtenOffset;
    const start = own === 0 ? position.minOffset : own;
    const obstacle = await this.obstacle(position, start);
    if (obstacle !== null) {
      this.reasons.set(slave, obstacle);
      return false;
    }
    try {
      for (let at = start; at < endOffset;) {
        const header = { offset: at, bytesMax: FETCH_BYTES };
        const { body } = await this.ask(slave, READ_LOG, header, FETCH_MS);
        if (body === null || body.length === 0) break;
        log.appendRaw(at, body);
        at += body.length;
      }
    } catch (error) {
      this.reasons.set(slave, error instanceof Error ? error.message : String(error));
    }
    const end = log.dropPartialRecord();
    const facts = { slave, from: start, to: end, slaveEnd: endOffset };
    if (end < endOffset) return false;
    logger.warn("H-09: took back from a slave what this log had lost", facts);
    return true;
  }

  private async obstacle(position: Position, start: number): Promise<string | null> {
    const { log } = this;
    if (position.fileSize !== log.fileSize)
      return `its mappedFileSizeCommitLog is ${position.fileSize}, here ${log.fileSize}`;
    if (start < position.minOffset)
      return `its log begins at ${position.minOffset}, here is ${start}`;
    const from = Math.max(log.minOffset, position.minOffset, start - LOG_COMPARE_BYTES_MAX);
    const to = log.writtenOffset;
    if (to === 0) return null;
    const own = crc32Of(log, from, to);
    const theirs = await this.position(position.slave, from, to);
    const isSame = own !== null && theirs?.compareCrc === own;
    return isSame ? null : `DIVERGED: its bytes from ${from} to ${to} are not those of this log`;
  }

  private couldNotCheck(): void {
    const { config, logger } = this.parts;
    const reasons = [...this.reasons].map(([who, why]) => `${who}: ${why}`);
    const why = reasons.length === 0 ? "no slave is registered" : reasons.join("; ");
    if (config.masterRecoverPolicy === "strict") {
      throw new EngineError("BROKER_TAIL_UNCHECKED", {
        message: `this SYNC_MASTER stopped uncleanly, and no slave could vouch for its log within ${config.masterRecoverWait} ms (${why})`,
        hint: "start its slave first, or set masterRecoverPolicy=serve to take what is here",
      });
    }
    logger.warn(
      "this SYNC_MASTER stopped uncleanly; whether a slave holds messages that this log lost was not checked",
      { why, waitedMs: config.masterRecoverWait, store: config.storePathRootDir },
    );
  }
}

/**
 * @param parts settings, connections, log
 * @returns what the store's start calls with its recovered log
 */
export function recoverTailFrom(parts: TailRecoveryParts): (log: ReplicaLog) => Promise<void> {
  return (log) => new TailRecovery(parts, log).run();
}
