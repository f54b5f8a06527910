/**
 * A slave keeps its master's tables: topics, consumer offsets, delay offsets, groups (store-and-ha 7.9). A pull that fails or is older changes
 * nothing; consumer offsets are merged by maximum (H-15).
 */
import { decodeTopicConfigTable } from "../remoting/bodies/topic-config.ts";
import { REQUEST_CODE } from "../remoting/request-codes.ts";
import { RESPONSE_CODE } from "../remoting/response-codes.ts";
import type { BrokerContext, DataVersion } from "./broker-context.ts";
import type { DelayedMessages } from "./delayed-messages.ts";
import { readGroupTable } from "./subscription-groups.ts";
import { topicOf } from "./topic-config.ts";

const PERIOD_MS = 10_000;
/** After the master became known; its tables are wanted soon. */
const FIRST_MS = 100;
const REQUEST_MS = 3_000;

function differs(a: DataVersion, b: DataVersion): boolean {
  return a.counter !== b.counter || a.timestamp !== b.timestamp;
}

/** Runs on slaves only. */
export class SlaveSync {
  private readonly context: BrokerContext;
  private readonly delayed: DelayedMessages;
  private master: string | null = null;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private wasFailing = false;
  private isSoon = false;

  /** @param delayed keeper of the delay offsets */
  constructor(context: BrokerContext, delayed: DelayedMessages) {
    this.context = context;
    this.delayed = delayed;
  }

  /** @param address the master's `host:port` as a name server answered it; null when it is not registered */
  setMaster(address: string | null): void {
    if (address === this.master) return;
    this.master = address;
    this.plan(FIRST_MS);
  }

  /** Messages of a topic arrived that this slave does not know yet: its settings are wanted before the master may be gone. */
  soon(): void {
    if (this.isSoon) return;
    this.isSoon = true;
    this.plan(0);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private plan(delayMs: number): void {
    clearTimeout(this.timer);
    if (this.stopped || this.master === null) return;
    this.timer = setTimeout(() => {
      this.syncAll()
        .catch((error: unknown) => this.reportFailure(error))
        .finally(() => this.plan(PERIOD_MS));
    }, delayMs);
    this.timer.unref();
  }

  private async syncAll(): Promise<void> {
    this.isSoon = false;
    const { topics, groups, offsets } = this.context;
    const topicTable = decodeTopicConfigTable(await this.fetch(REQUEST_CODE.GET_ALL_TOPIC_CONFIG));
    if (differs(topicTable.dataVersion, topics.version))
      topics.replaceAll(topicTable.topics.map(topicOf), topicTable.dataVersion);
    offsets.merge(await this.fetch(REQUEST_CODE.GET_ALL_CONSUMER_OFFSET));
    this.delayed.replace(await this.fetch(REQUEST_CODE.GET_ALL_DELAY_OFFSET));
    const groupTable = readGroupTable(
      await this.fetch(REQUEST_CODE.GET_ALL_SUBSCRIPTIONGROUP_CONFIG),
    );
    if (differs(groupTable.version, groups.version))
      groups.replaceAll(groupTable.groups, groupTable.version);
    if (this.wasFailing)
      this.context.logger.info("the master's tables are synchronised again", {
        master: this.master,
      });
    this.wasFailing = false;
  }

  /** A master that has no table of a kind yet answers 1: an empty one. */
  private async fetch(code: number): Promise<string> {
    const master = this.master;
    if (master === null) return "{}";
    const answer = await this.context.remoting.invoke(master, { code }, REQUEST_MS);
    return answer.code === RESPONSE_CODE.SUCCESS && answer.body !== null
      ? answer.body.toString("utf8")
      : "{}";
  }

  private reportFailure(error: unknown): void {
    if (this.wasFailing) return;
    this.wasFailing = true;
    const reason = error instanceof Error ? error.message : String(error);
    this.context.logger.warn("the master's tables cannot be read; what is here stays", {
      master: this.master,
      reason,
    });
  }
}
