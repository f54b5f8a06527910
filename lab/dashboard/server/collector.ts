import type { Logger } from "../../../engine/base/logger.ts";
import type { AdminClient } from "../../../engine/admin/index.ts";
import type { ClusterEvent, ClusterHistory, ClusterSnapshot, NodeState } from "../api.ts";
import { BrokerFigures, LagClock } from "./broker-figures.ts";
import type { BrokerReading, NamesrvReading, Round } from "./readings.ts";
import { buildSnapshot } from "./snapshot.ts";
import type { DashboardSettings, NodeSettings } from "./settings.ts";

const ROUND_MS = 1_000;
const EVENTS_MAX = 200;
const HISTORY_POINTS = 900;

export type SnapshotListener = (snapshot: ClusterSnapshot) => void;

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * The one place that asks the cluster: a round a second, whether nobody or fifty pages are open (dashboard rule 7). Slaves are read
 * before masters, so that a lag is never negative (dashboard.md 4.3).
 */
export class Collector {
  private readonly figures = new Map<string, BrokerFigures>();
  private readonly lagClocks = new Map<string, LagClock>();
  private readonly states = new Map<string, NodeState>();
  private readonly events: ClusterEvent[] = [];
  private readonly listeners = new Set<SnapshotListener>();
  private readonly times: number[] = [];
  private readonly rates = new Map<
    string,
    { inRate: (number | null)[]; outRate: (number | null)[] }
  >();
  private readonly settings: DashboardSettings;
  private readonly admin: AdminClient;
  private readonly logger: Logger;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private seq = 0;
  private latest: ClusterSnapshot | undefined;

  /** @param parts settings, the admin client of the cluster, a logger */
  constructor(parts: {
    readonly settings: DashboardSettings;
    readonly admin: AdminClient;
    readonly logger: Logger;
  }) {
    this.settings = parts.settings;
    this.admin = parts.admin;
    this.logger = parts.logger;
    for (const node of this.brokers()) {
      this.figures.set(node.node, new BrokerFigures());
      this.lagClocks.set(node.node, new LagClock());
      this.rates.set(node.node, { inRate: [], outRate: [] });
    }
  }

  /** Starts the rounds; the first one begins at once. */
  start(): void {
    const next = (): void => {
      const began = Date.now();
      this.runRound()
        .catch((error: unknown) =>
          this.logger.error("a collector round failed", { reason: reason(error) }),
        )
        .finally(() => {
          if (this.stopped) return;
          this.timer = setTimeout(next, Math.max(50, ROUND_MS - (Date.now() - began)));
        });
    };
    next();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.listeners.clear();
  }

  snapshot(): ClusterSnapshot | undefined {
    return this.latest;
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: SnapshotListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  history(): ClusterHistory {
    const series = [...this.rates].map(([node, rate]) => ({
      node,
      inRate: rate.inRate,
      outRate: rate.outRate,
    }));
    return { schema: "lab.dashboard.history/1", times: this.times, series };
  }

  private brokers(): NodeSettings[] {
    return this.settings.nodes.filter((node) => node.role === "master" || node.role === "slave");
  }

  private async runRound(): Promise<void> {
    const namesrvs = this.settings.nodes.filter((node) => node.role === "namesrv");
    const slaves = this.brokers().filter((node) => node.role === "slave");
    const masters = this.brokers().filter((node) => node.role === "master");
    const [namesrvReadings, slaveReadings] = await Promise.all([
      Promise.all(namesrvs.map((node) => this.readNamesrv(node))),
      Promise.all(slaves.map((node) => this.readBroker(node))),
    ]);
    const masterReadings = await Promise.all(masters.map((node) => this.readBroker(node)));
    const brokers = [...slaveReadings, ...masterReadings];
    this.finishRound({
      at: Date.now(),
      brokers: new Map(brokers.map((reading) => [reading.node, reading])),
      namesrvs: new Map(namesrvReadings.map((reading) => [reading.node, reading])),
    });
  }

  private async readBroker(node: NodeSettings): Promise<BrokerReading> {
    try {
      const table = await this.admin.runtimeInfo(node.address);
      return { node: node.node, at: Date.now(), table, error: "" };
    } catch (error) {
      return { node: node.node, at: Date.now(), table: null, error: reason(error) };
    }
  }

  private async readNamesrv(node: NodeSettings): Promise<NamesrvReading> {
    try {
      const info = await this.admin.clusterInfo(node.address);
      const registered = info.brokers.flatMap((broker) =>
        [...broker.brokerAddrs.keys()].map((id) => `${broker.brokerName}:${id}`),
      );
      return { node: node.node, at: Date.now(), registered: new Set(registered), error: "" };
    } catch (error) {
      return { node: node.node, at: Date.now(), registered: null, error: reason(error) };
    }
  }

  private finishRound(round: Round): void {
    for (const [node, reading] of round.brokers) {
      this.figures.get(node)?.add(reading);
      const end = this.figures.get(node)?.get("logEnd");
      if (end !== undefined && "value" in end) this.lagClocks.get(node)?.note(end.at, end.value);
    }
    this.keepHistory(round.at);
    this.seq += 1;
    const input = {
      settings: this.settings,
      round,
      figures: this.figures,
      lagClocks: this.lagClocks,
      seq: this.seq,
    };
    this.noteChanges(buildSnapshot({ ...input, events: this.events }));
    this.latest = buildSnapshot({ ...input, events: this.events.slice(0, 50) });
    for (const listener of this.listeners) listener(this.latest);
  }

  private noteChanges(snapshot: ClusterSnapshot): void {
    for (const { node, state, reason: why } of snapshot.nodes) {
      const before = this.states.get(node);
      this.states.set(node, state);
      if (before === undefined || before === state) continue;
      const text = state === "ok" ? "answers and is registered again" : why;
      this.events.unshift({ at: snapshot.at, node, text, state });
    }
    this.events.length = Math.min(this.events.length, EVENTS_MAX);
  }

  private keepHistory(at: number): void {
    this.times.push(at);
    const known = (node: string, name: string): number | null => {
      const figure = this.figures.get(node)?.get(name);
      return figure !== undefined && "value" in figure ? figure.value : null;
    };
    for (const [node, rate] of this.rates) {
      rate.inRate.push(known(node, "inRate"));
      rate.outRate.push(known(node, "outRate"));
      if (rate.inRate.length > HISTORY_POINTS) rate.inRate.shift();
      if (rate.outRate.length > HISTORY_POINTS) rate.outRate.shift();
    }
    if (this.times.length > HISTORY_POINTS) this.times.shift();
  }
}
