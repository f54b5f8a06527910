/** One bench run: connect, topic ready, warm-up, measure, drain, balance (lab-and-drills 4.2, 4). Always bounded. */
import type { AdminClient } from "../../engine/admin/index.ts";
import type { LabRuntime } from "../runtime/runtime.ts";
import { machineAddress } from "../runtime/wait/health.ts";
import { labAdmin, namesrvEndpoints } from "../runtime/wait/ready.ts";
import { describeEnvironment } from "./environment.ts";
import { GeneratorAudit, type GeneratorFigures } from "./generator-audit.ts";
import { Ledger } from "./ledger.ts";
import { BodyFactory } from "./message-body.ts";
import { weakTotal } from "./outcome.ts";
import { ensureTopic, probeTopic } from "./prepare-topic.ts";
import { Producers } from "./producers.ts";
import { Receivers } from "./receive-load.ts";
import { judgeRun, type BenchEnvironment, type BenchResult } from "./result.ts";
import { closedSchedule, openSchedule, type Schedule, type Span } from "./schedule.ts";
import { LoadBook, sendLoad, type SecondSample } from "./send-load.ts";
import {
  readQueueEnds,
  settledQueueEnds,
  storedBetween,
  type MasterAddress,
  type QueueEnds,
} from "./topic-offsets.ts";
import { unverified, verifyByConsumers, verifyByOffsets, type Verification } from "./verify.ts";
import { laneCount, type Workload } from "./workload.ts";

export interface BenchOptions {
  readonly runtime: LabRuntime;
  readonly workload: Workload;
  readonly signal: AbortSignal;
  /** Told what goes on, and once a second how it goes. */
  readonly onPhase: (text: string) => void;
  readonly onSecond: (sample: SecondSample) => void;
}

/** Everything of one run that lives while it runs. */
interface Run {
  readonly options: BenchOptions;
  readonly admin: AdminClient;
  readonly masters: readonly MasterAddress[];
  readonly producers: Producers;
  readonly ledger: Ledger | null;
  readonly bodies: BodyFactory;
}

/** What sending brought. */
interface Sending {
  readonly book: LoadBook;
  readonly generator: GeneratorFigures;
  readonly measuredSeconds: number;
  readonly endedEarly: boolean;
}

const SECOND_MS = 1_000;
/** How long an open loop may go on sending what was due, after the measured time. */
const BACKLOG_GRACE_MS = 5_000;

async function runningMasters(runtime: LabRuntime): Promise<readonly MasterAddress[]> {
  const observed = await runtime.observe();
  return runtime.allocation.topology.nodes
    .filter((node) => node.role === "broker-master")
    .filter((node) => observed.some((seen) => seen.node === node.name && seen.state === "running"))
    .map((node) => ({ node: node.name, address: machineAddress(runtime, node.name) }));
}

function scheduleFor(workload: Workload, span: Span): Schedule {
  return workload.ratePerSecond === null
    ? closedSchedule(span)
    : openSchedule(span, workload.ratePerSecond);
}

/** Warm-up and measurement on one schedule; the first is only left out of the figures. */
async function send(run: Run): Promise<Sending> {
  const { workload, signal, onSecond } = run.options;
  const startMs = performance.now();
  const measureFromMs = startMs + workload.warmupMs;
  const endMs = measureFromMs + workload.durationMs;
  const schedule = scheduleFor(workload, { startMs, endMs });
  const book = new LoadBook({ measureFromMs, endMs });
  const audit = new GeneratorAudit();
  const stop = (): void => schedule.stop();
  signal.addEventListener("abort", stop, { once: true });
  const warm = setTimeout(() => audit.start(), workload.warmupMs);
  const give = setTimeout(stop, endMs - startMs + BACKLOG_GRACE_MS);
  const ticker = setInterval(() => {
    onSecond(book.sample(Math.floor((performance.now() - measureFromMs) / SECOND_MS)));
  }, SECOND_MS);
  try {
    const lanes = laneCount(workload);
    await sendLoad(lanes, { schedule, book, send: (lane) => run.producers.send(lane) });
  } finally {
    clearTimeout(warm);
    clearTimeout(give);
    clearInterval(ticker);
    signal.removeEventListener("abort", stop);
  }
  const endedMs = Math.min(endMs, performance.now());
  return {
    book,
    generator: audit.stop(),
    measuredSeconds: Math.max(0, endedMs - measureFromMs) / SECOND_MS,
    endedEarly: signal.aborted,
  };
}

async function balance(
  run: Run,
  sending: Sending,
  check: { readonly before: QueueEnds; readonly receivers: Receivers | null },
): Promise<Verification> {
  const totals = sending.book.totals();
  const sure = totals.ok + weakTotal(totals);
  if (check.receivers !== null && run.ledger !== null) {
    const isDrained = await check.receivers.drain(sure + totals.handed);
    return verifyByConsumers(totals, run.ledger.counts(), isDrained);
  }
  const read = (): Promise<QueueEnds> =>
    readQueueEnds(run.admin, run.masters, run.options.workload.topic);
  try {
    const after = await settledQueueEnds(read, check.before, sure + totals.handed);
    return verifyByOffsets(totals, storedBetween(check.before, after));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return unverified(totals, `a master did not answer afterwards (${reason})`);
  }
}

function resultOf(
  run: Run,
  environment: BenchEnvironment,
  done: {
    readonly startedAt: string;
    readonly sending: Sending;
    readonly verification: Verification;
  },
): BenchResult {
  const { workload } = run.options;
  const { book, generator, measuredSeconds, endedEarly } = done.sending;
  const load = book.figures();
  const rate = measuredSeconds === 0 ? 0 : load.completedInTime / measuredSeconds;
  const { verification } = done;
  return {
    schema: "lab.bench/1",
    startedAt: done.startedAt,
    endedEarly,
    workload,
    environment,
    measuredSeconds,
    messagesPerSecond: rate,
    bytesPerSecond: rate * workload.sizeBytes,
    load,
    totals: book.totals(),
    generator,
    verification,
    errors: Object.fromEntries(run.producers.errors),
    verdict: judgeRun({ workload, load, generator, verification }),
    series: book.samples,
  };
}

function receiversFor(run: Run, queueCount: number): Receivers | null {
  const { workload, runtime, signal } = run.options;
  if (run.ledger === null) return null;
  return new Receivers({
    namesrvAddrs: namesrvEndpoints(runtime),
    topic: workload.topic,
    consumers: workload.consumers,
    bodies: run.bodies,
    ledger: run.ledger,
    queueCount,
    signal,
  });
}

async function measure(run: Run): Promise<BenchResult> {
  const { onPhase, workload, signal, runtime } = run.options;
  onPhase("connecting");
  const environment = await describeEnvironment(runtime, run.admin, run.masters);
  const queueCount = await ensureTopic(run.admin, run.masters, workload);
  await run.producers.start();
  onPhase(`waiting for ${queueCount} queues of ${workload.topic}`);
  await probeTopic(run.producers, queueCount, signal);
  const receivers = receiversFor(run, queueCount);
  try {
    await receivers?.start();
    const before = await readQueueEnds(run.admin, run.masters, workload.topic);
    onPhase(`warming up for ${workload.warmupMs / SECOND_MS} s, then measuring`);
    const startedAt = new Date().toISOString();
    const sending = await send(run);
    onPhase("counting what arrived");
    const verification = await balance(run, sending, { before, receivers });
    return resultOf(run, environment, { startedAt, sending, verification });
  } finally {
    await receivers?.close();
  }
}

/**
 * Runs a bench against a lab that is up.
 * @returns what was measured, also when the signal ended it early
 * @throws EngineError BENCH_TOPIC_NOT_READY, or a failed request before sending began
 */
export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const { runtime, workload } = options;
  const admin = labAdmin(runtime);
  const bodies = new BodyFactory(workload.sizeBytes);
  const ledger = workload.consumers > 0 ? new Ledger(workload.producers) : null;
  const namesrvAddrs = namesrvEndpoints(runtime);
  const producers = new Producers({ namesrvAddrs, workload, bodies, ledger });
  try {
    const masters = await runningMasters(runtime);
    return await measure({ options, admin, masters, producers, ledger, bodies });
  } finally {
    await producers.close();
    admin.close();
  }
}
