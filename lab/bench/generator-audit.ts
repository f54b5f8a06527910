/** Was the generator itself the bottleneck? Its event loop is watched while it runs. */
import {
  monitorEventLoopDelay,
  performance,
  type EventLoopUtilization,
  type IntervalHistogram,
} from "node:perf_hooks";

/** How busy and how late the process that sends was. */
export interface GeneratorFigures {
  /** 0…1 of the measured time. */
  readonly loopUtilization: number;
  /** Milliseconds past the moment a timer was due. */
  readonly loopDelayP99Ms: number;
  /** CPU seconds, user and system, all threads, per second. */
  readonly cpuCores: number;
  readonly rssBytes: number;
}

const RESOLUTION_MS = 10;

/** Watches from `start` to `stop`. */
export class GeneratorAudit {
  private readonly delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private loop: EventLoopUtilization = performance.eventLoopUtilization();
  private cpu = process.cpuUsage();
  private startedMs = performance.now();

  /** Begins anew: what went before does not count. */
  start(): void {
    this.delay.reset();
    this.delay.enable();
    this.loop = performance.eventLoopUtilization();
    this.cpu = process.cpuUsage();
    this.startedMs = performance.now();
  }

  /** @returns figures since `start` */
  stop(): GeneratorFigures {
    this.delay.disable();
    const elapsedMs = Math.max(1, performance.now() - this.startedMs);
    const cpu = process.cpuUsage(this.cpu);
    return {
      loopUtilization: performance.eventLoopUtilization(this.loop).utilization,
      // The histogram holds whole intervals between two ticks of its timer.
      loopDelayP99Ms: Math.max(0, this.delay.percentile(99) / 1e6 - RESOLUTION_MS),
      cpuCores: (cpu.user + cpu.system) / 1_000 / elapsedMs,
      rssBytes: process.memoryUsage.rss(),
    };
  }
}
