import type { NodeObservation } from "../../runtime/runtime.ts";
import { inspectNodes } from "../../runtime/wait/health.ts";
import { pollUntil, type PollOptions } from "../../runtime/wait/poll.ts";
import { labAdmin, waitUntilReady } from "../../runtime/wait/ready.ts";
import { defineCommand, type CommandContext } from "../define-command.ts";
import { openLab, selectNodes, type OpenLab } from "../open-lab.ts";
import { choiceOption } from "../options.ts";
import { timeoutOption } from "./common-options.ts";

const POLL_MS = 100;

interface Wait extends PollOptions {
  readonly lab: OpenLab;
  readonly nodes: ReadonlySet<string>;
}

/** A node that is down may be started by somebody else, so only the deadline ends this. */
async function untilHealthy(wait: Wait): Promise<void> {
  const admin = labAdmin(wait.lab.runtime);
  try {
    await pollUntil(async () => {
      const ill = (await inspectNodes(wait.lab.runtime, admin)).find(
        (entry) => wait.nodes.has(entry.node) && entry.health !== "ok",
      );
      return ill === undefined ? null : `${ill.node}: ${ill.reason}`;
    }, wait);
  } finally {
    admin.close();
  }
}

function lives(seen: NodeObservation): boolean {
  return seen.state === "running" || seen.state === "paused";
}

async function untilDown(wait: Wait): Promise<void> {
  await pollUntil(async () => {
    const live = (await wait.lab.runtime.observe()).find(
      (seen) => wait.nodes.has(seen.node) && lives(seen),
    );
    return live === undefined ? null : `${live.node} is ${live.state}`;
  }, wait);
}

async function untilReady(wait: Wait): Promise<void> {
  await untilHealthy(wait);
  await waitUntilReady({ ...wait, runtime: wait.lab.runtime });
}

const UNTIL = { ready: untilReady, healthy: untilHealthy, down: untilDown };

async function waitFor(
  context: CommandContext,
  wait: Omit<Wait, "say" | "signal">,
  until: keyof typeof UNTIL,
): Promise<void> {
  await context.progress.step(`Waiting until ${until}`, (say) =>
    UNTIL[until]({ ...wait, say, signal: context.signal }),
  );
}

export const waitCommand = defineCommand({
  name: "wait",
  summary: "wait until nodes are ready, healthy or down",
  description:
    "Starts nothing. healthy: the node answers, every running name server routes it, a slave has caught up. ready: healthy, and a probe message went round through each master. down: the process has ended. Exit code 5 when the time is up.",
  examples: [
    { command: "lab wait", what: "until the whole lab is ready" },
    { command: "lab wait broker-a-slave --until healthy", what: "until one node is well" },
    { command: "lab wait @masters --until down --timeout 10s", what: "until they are gone" },
  ],
  args: [
    { name: "NODE", help: "node names or groups; default: all", required: false, variadic: true },
  ],
  options: {
    until: choiceOption("--until <state>", "default ready", {
      allowed: ["ready", "healthy", "down"],
      initial: "ready",
    }),
    timeout: timeoutOption(60_000),
  },
  async run(context, { args, options }) {
    const lab = await openLab(context);
    const chosen = args.length === 0 ? lab.state.topology.nodes : selectNodes(lab, args);
    const nodes = chosen.map((node) => node.name);
    const begun = performance.now();
    const deadline = begun + options.timeout;
    const wait = { lab, nodes: new Set(nodes), deadline, intervalMs: POLL_MS };
    const until = options.until ?? "ready";
    await waitFor(context, wait, until);
    const waitedMs = Math.round(performance.now() - begun);
    const what = args.length === 0 ? `lab ${context.labName}` : nodes.join(", ");
    return {
      schema: "lab.wait/1",
      data: { lab: context.labName, until, nodes, waitedMs },
      text: `${context.color.bold(what)} ${nodes.length === 1 || args.length === 0 ? "is" : "are"} ${until} after ${(waitedMs / 1_000).toFixed(1)} s`,
    };
  },
});
