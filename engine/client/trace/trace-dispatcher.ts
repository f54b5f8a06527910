/** Gathers trace records and sends them, many in a message, behind everything else a client does (remoting-protocol 4.13). */
import type { Logger } from "../../base/logger.ts";
import type { Message } from "../client-api.ts";
import { encodeTrace, type TraceRecord } from "./trace-records.ts";

/** Of every broker with `traceTopicEnable=true`. */
const TRACE_TOPIC = "RMQ_SYS_TRACE_TOPIC";
/** Records of so long go together. */
const GATHER_MS = 50;
const RECORDS_MAX = 100;
const TEXT_MAX = 118_000;
/** Records that wait for a slow broker; more are dropped, never the messages they tell of. */
const WAITING_MAX = 10_000;

/** @returns group name of the producer that sends the records of a group */
export function traceGroup(group: string, role: "PRODUCE" | "CONSUME"): string {
  return `_INNER_TRACE_PRODUCER-${group}-${role}`;
}

/** How records leave: a producer that is not traced itself. */
export interface TraceSink {
  start(): Promise<void>;
  send(message: Message): Promise<unknown>;
  close(): Promise<void>;
}

/** One producer's or consumer's trace. */
export class TraceDispatcher {
  private readonly sink: TraceSink;
  private readonly topic: string;
  private readonly logger: Logger;
  private waiting: TraceRecord[] = [];
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<void> | undefined;
  private dropped = 0;

  /** @param where true for the topic all brokers have, or a topic's name */
  constructor(sink: TraceSink, where: string | true, logger: Logger) {
    this.sink = sink;
    this.topic = where === true ? TRACE_TOPIC : where;
    this.logger = logger;
  }

  start(): Promise<void> {
    return this.sink.start();
  }

  /** Takes records to be sent within a moment; never waits and never throws. */
  add(...records: readonly TraceRecord[]): void {
    if (this.waiting.length >= WAITING_MAX) {
      this.dropped += records.length;
      return;
    }
    this.waiting.push(...records);
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => void this.flush(), GATHER_MS);
    this.timer.unref();
  }

  /** Sends what waits, then ends. */
  async close(): Promise<void> {
    await this.flush();
    await this.sink.close();
  }

  /** @returns when all that waited at the call has been sent, or given up */
  private async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.sending;
    this.sending = this.sendAll(this.waiting.splice(0));
    await this.sending;
  }

  private async sendAll(records: readonly TraceRecord[]): Promise<void> {
    let at = 0;
    while (at < records.length) {
      const keys = new Set<string>();
      let body = "";
      const end = Math.min(records.length, at + RECORDS_MAX);
      for (; at < end && body.length < TEXT_MAX; at += 1) {
        const record = records[at];
        if (record === undefined) break;
        body += encodeTrace(record);
        keys.add(record.msgId);
        if (record.keys !== "") keys.add(record.keys);
      }
      await this.sendOne(body, [...keys]);
    }
    if (this.dropped === 0) return;
    this.logger.warn("trace records were dropped", { count: this.dropped });
    this.dropped = 0;
  }

  private async sendOne(body: string, keys: readonly string[]): Promise<void> {
    try {
      await this.sink.send({ topic: this.topic, body: Buffer.from(body, "utf8"), keys });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.logger.warn("trace records could not be sent", { topic: this.topic, reason });
    }
  }
}
