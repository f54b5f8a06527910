/** What the commands that make faults share: `--for`, `--plan`, the talk, the result. */
import { setTimeout as sleep } from "node:timers/promises";
import { FaultControl } from "../faults/control.ts";
import {
  describeFault,
  nodesBack,
  type Evidence,
  type FaultRecord,
  type FaultSpec,
} from "../faults/fault.ts";
import { describeStep } from "../faults/describe-step.ts";
import { lockFile } from "../runtime/state.ts";
import { waitUntilReady } from "../runtime/wait/ready.ts";
import type { CommandContext, CommandResult } from "./define-command.ts";
import { EXIT } from "./exit-codes.ts";
import { nameFlag, type OpenLab } from "./open-lab.ts";
import { durationOption, switchOption } from "./options.ts";

const FOR_MAX_MS = 86_400_000;
const READY_MS = 60_000;
const EVIDENCE_LINES = 12;

/** `--for` and `--plan`, the same for every fault. */
export const FAULT_OPTIONS = {
  for: durationOption("--for <time>", "stay, and heal after this long or at Ctrl-C", {
    min: 100,
    max: FOR_MAX_MS,
    initial: undefined,
  }),
  plan: switchOption("--plan", "print what would be done, do nothing"),
};

/** How a fault is to be made. */
export interface FaultRun {
  /** `host down`: told to who finds the lock held, and, with dots, the document's name. */
  readonly name: string;
  readonly spec: FaultSpec;
  readonly forMs: number | undefined;
  readonly planOnly: boolean;
  /** Added to the JSON document. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** Commands to try next; default `lab heal ID`. */
  readonly next?: readonly string[];
}

/** @returns the faults of a lab, as the command `lab NAME` works on them */
export function faultControl(context: CommandContext, lab: OpenLab, name: string): FaultControl {
  return new FaultControl({
    runtime: lab.runtime,
    lockFile: lockFile(context.home, context.labName),
    command: `lab ${name}`,
  });
}

const PHASE = { before: "before", during: "now", after: "healed" } as const;

function evidenceLine(context: CommandContext, entry: Evidence): string {
  const mark =
    entry.holds === null ? "·" : entry.holds ? context.color.green("✓") : context.color.red("✗");
  return `  ${mark} ${PHASE[entry.when].padEnd(6)}  ${entry.what}`;
}

/** @returns a fault with its latest evidence, for people; `lab fault list --json` has all of it */
export function renderFault(context: CommandContext, record: FaultRecord): string {
  const phase = record.state === "healed" ? "after" : "during";
  const shown = record.evidence.filter((entry) => entry.when === phase);
  const more = shown.length > EVIDENCE_LINES ? [`  … ${shown.length - EVIDENCE_LINES} more`] : [];
  const head = `${context.color.bold(record.id)} ${record.spec.kind}, ${record.state}: ${describeFault(record.spec)}`;
  const lines = shown.slice(0, EVIDENCE_LINES).map((entry) => evidenceLine(context, entry));
  return [head, ...lines, ...more].join("\n");
}

function documentOf(run: FaultRun): string {
  return `lab.${run.name.replaceAll(" ", ".")}/1`;
}

async function planned(
  context: CommandContext,
  control: FaultControl,
  run: FaultRun,
): Promise<CommandResult> {
  const plan = await control.plan(run.spec);
  const lines = plan.steps.flatMap(describeStep);
  return {
    schema: documentOf(run),
    data: { lab: context.labName, ...run.data, fault: null, plan: { spec: run.spec, ...plan } },
    text: [`would do: ${describeFault(run.spec)}`, ...lines.map((line) => `  ${line}`)].join("\n"),
  };
}

/** Waits out the time; Ctrl-C ends it early. */
async function hold(context: CommandContext, ms: number): Promise<void> {
  await sleep(ms, undefined, { signal: context.signal }).catch((error: unknown) => {
    if (!context.signal.aborted) throw error;
  });
}

/** Nodes that healing started must serve again; one that another fault holds stays down. */
export async function waitForHealed(
  context: CommandContext,
  lab: OpenLab,
  records: readonly FaultRecord[],
): Promise<void> {
  const { ledger } = faultControl(context, lab, "heal");
  const back = nodesBack(records, ledger.open());
  if (back.size === 0 || context.signal.aborted) return;
  await context.progress.step("Waiting until ready", (say) =>
    waitUntilReady({
      runtime: lab.runtime,
      nodes: back,
      deadline: performance.now() + READY_MS,
      signal: context.signal,
      say,
    }),
  );
}

/** @returns exit code 5 when something was not as it should be after healing */
export function healExit(records: readonly FaultRecord[]): CommandResult["exitCode"] {
  const wrong = records.some(({ evidence }) => evidence.some((entry) => entry.holds === false));
  return wrong ? EXIT.notReady : EXIT.done;
}

/**
 * Makes a fault; with `--for` stays and heals it, with `--plan` only tells.
 * @throws EngineError LAB_FAULT_* | LAB_CONFLICT | LAB_BUSY
 */
export async function runFault(
  context: CommandContext,
  lab: OpenLab,
  run: FaultRun,
): Promise<CommandResult> {
  const control = faultControl(context, lab, run.name);
  if (run.planOnly) return planned(context, control, run);
  const made = await context.progress.step(`Injecting ${run.spec.kind}`, () =>
    control.inject(run.spec, run.forMs),
  );
  const data = { lab: context.labName, ...run.data, plan: null };
  if (run.forMs === undefined && !context.signal.aborted) {
    const flag = nameFlag(context.labName);
    const next = (run.next ?? [`lab heal ${made.id}`]).map((command) => `${command}${flag}`);
    return {
      schema: documentOf(run),
      data: { ...data, fault: made },
      text: `${renderFault(context, made)}\n${context.color.cyan("next")}  ${next.join(", then ")}`,
    };
  }
  context.progress.note(renderFault(context, made));
  await hold(context, run.forMs ?? 0);
  const end = await context.progress.step(`Healing ${made.id}`, () => control.release(made.id));
  if (end === null) {
    const text = `lab ${context.labName} is gone, and ${made.id} with it`;
    return { schema: documentOf(run), data: { ...data, fault: null }, text };
  }
  const final = end.record;
  if (end.isOurs) await waitForHealed(context, lab, [final]);
  return {
    schema: documentOf(run),
    data: { ...data, fault: final },
    text: renderFault(context, final),
    exitCode: healExit([final]) ?? EXIT.done,
  };
}
