import { EngineError } from "../../../engine/base/engine-error.ts";
import { renderResult, type BenchResult } from "../../bench/result.ts";
import { runBench } from "../../bench/run-bench.ts";
import { saveResult } from "../../bench/save-result.ts";
import type { SecondSample } from "../../bench/send-load.ts";
import {
  CONSUMERS_MAX,
  DURATION_MS_MAX,
  PRODUCERS_MAX,
  RATE_MAX,
  SIZE_BYTES_MAX,
  SIZE_BYTES_MIN,
  WINDOW_MAX,
  type Workload,
} from "../../bench/workload.ts";
import { defineCommand, type CommandContext } from "../define-command.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { nameFlag, openLab, type OpenLab } from "../open-lab.ts";
import { choiceOption, durationOption, numberOption, sizeOption, textOption } from "../options.ts";

const DEFAULT_TOPIC = "LAB_BENCH";
/** On a terminal every second, in a log file every tenth. */
const PLAIN_LINE_SECONDS = 10;
const TOPIC = /^[%|a-zA-Z0-9_-]{1,127}$/;

const OPTIONS = {
  producers: numberOption("--producers <n>", "clients that send; default 1", {
    min: 1,
    max: PRODUCERS_MAX,
    initial: 1,
  }),
  consumers: numberOption(
    "--consumers <n>",
    "clients that read everything back; default 0 (then the queues' offsets are counted)",
    { min: 0, max: CONSUMERS_MAX, initial: 0 },
  ),
  size: sizeOption("--size <bytes>", "bytes of a message; default 1k", {
    min: SIZE_BYTES_MIN,
    max: SIZE_BYTES_MAX,
    initial: 1_024,
  }),
  rate: numberOption(
    "--rate <n>",
    "messages a second in all (open loop); default: as fast as it goes",
    {
      min: 1,
      max: RATE_MAX,
      initial: undefined,
    },
  ),
  duration: durationOption("--duration <time>", "measured time; default 10s", {
    min: 100,
    max: DURATION_MS_MAX,
    initial: 10_000,
  }),
  warmup: durationOption("--warmup <time>", "time before it, left out of the figures; default 3s", {
    min: 0,
    max: DURATION_MS_MAX,
    initial: 3_000,
  }),
  topic: textOption("--topic <name>", `default ${DEFAULT_TOPIC}`),
  mode: choiceOption("--mode <mode>", "how a producer sends; default sync", {
    allowed: ["sync", "async", "oneway"],
    initial: "sync",
  }),
  window: numberOption("--window <n>", "async and oneway: sends in flight a producer; default 64", {
    min: 1,
    max: WINDOW_MAX,
    initial: 64,
  }),
  queues: numberOption("--queues <n>", "queues of the topic on each master; default 8", {
    min: 1,
    max: 1_024,
    initial: 8,
  }),
};

function checkTopic(topic: string): string {
  if (TOPIC.test(topic)) return topic;
  throw new EngineError("CLI_USAGE", {
    message: `"${topic}" is no topic name`,
    hint: "letters, digits, % | - and _, at most 127",
  });
}

function secondText(sample: SecondSample, workload: Workload): string {
  const sent = sample.ok + sample.weak + sample.handed;
  const phase = sample.second < 0 ? "warm-up" : `${sample.second + 1} s`;
  const latency =
    sample.p99 === null || workload.mode === "oneway"
      ? ""
      : `, p50 ${((sample.p50 ?? 0) / 1_000).toFixed(2)} ms, p99 ${(sample.p99 / 1_000).toFixed(2)} ms`;
  const bad = sample.weak + sample.failed + sample.unknown;
  const trouble =
    bad === 0 ? "" : `, weak ${sample.weak}, failed ${sample.failed}, unknown ${sample.unknown}`;
  return `${phase}: ${sent.toLocaleString("en-US")} messages${latency}${trouble}`;
}

async function measure(
  context: CommandContext,
  lab: OpenLab,
  workload: Workload,
): Promise<BenchResult> {
  return context.progress.step(`Bench of ${lab.state.topology.name}`, (say) =>
    runBench({
      runtime: lab.runtime,
      workload,
      signal: context.signal,
      onPhase: say,
      onSecond: (sample) => {
        const isShown = context.io.isTTY.stderr || (sample.second + 1) % PLAIN_LINE_SECONDS === 0;
        if (isShown) say(secondText(sample, workload));
      },
    }),
  );
}

async function checkUp(context: CommandContext, lab: OpenLab): Promise<void> {
  const observed = await lab.runtime.observe();
  if (observed.some((seen) => seen.state === "running")) return;
  throw new EngineError("LAB_NOT_READY", {
    message: `lab ${context.labName} is down`,
    hint: `bring it up first: \`lab up${nameFlag(context.labName)}\``,
  });
}

const EXIT_BY_VERDICT: Readonly<Record<BenchResult["verdict"]["verdict"], ExitCode>> = {
  valid: EXIT.done,
  lost: EXIT.benchThreshold,
  invalid: EXIT.benchInvalid,
};

export const benchCommand = defineCommand({
  name: "bench",
  summary: "measure throughput and latency, and account for every message",
  description:
    "Without --rate each sender sends as soon as its last answer came (closed loop): the peak throughput. With --rate sends are due at fixed times (open loop) and latency counts from the due time, so a stall cannot hide. In sync mode a producer has one send in flight, in async mode --window of them. Afterwards every sent message must be found again. The result is kept in the lab's folder. Exit code 12: messages are missing; 13: the figures say nothing.",
  examples: [
    { command: "lab bench --producers 8", what: "peak throughput with 8 senders" },
    { command: "lab bench --rate 2000 --duration 30s", what: "latency at 2,000 messages a second" },
    { command: "lab bench --producers 4 --mode async", what: "many sends in flight" },
    { command: "lab bench --producers 8 --consumers 2 --size 4k", what: "read everything back" },
    { command: "lab bench --json > result.json", what: "the whole result for programs" },
  ],
  args: [],
  options: OPTIONS,
  async run(context, { options }) {
    const workload: Workload = {
      producers: options.producers,
      consumers: options.consumers,
      sizeBytes: options.size,
      ratePerSecond: options.rate ?? null,
      durationMs: options.duration,
      warmupMs: options.warmup,
      topic: checkTopic(options.topic ?? DEFAULT_TOPIC),
      mode: options.mode,
      window: options.window,
      queues: options.queues,
    };
    const lab = await openLab(context);
    await checkUp(context, lab);
    const result = await measure(context, lab, workload);
    const directory = saveResult(lab.runtime.allocation.stateDir, result);
    const { schema, ...data } = result;
    return {
      schema,
      data: { ...data, savedTo: directory },
      text: `${renderResult(result)}\nsaved to                    ${directory}`,
      exitCode: EXIT_BY_VERDICT[result.verdict.verdict],
    };
  },
});
