import { join, resolve } from "node:path";
import { runLocalGuest } from "../../runtime/local-guest.ts";
import { namesrvEndpoints } from "../../runtime/wait/ready.ts";
import { defineCommand, type CommandContext } from "../define-command.ts";
import { openLab, type OpenLab } from "../open-lab.ts";
import { switchOption, textOption } from "../options.ts";
import { originalForms, originalTool } from "../original-tools.ts";

/** A variable somebody left behind is no wish: it counts when it is set and not empty. */
function distOf(context: CommandContext, given: string | undefined): string | null {
  const found = given ?? context.io.env["ROCKETMQ_HOME"];
  return found === undefined || found === "" ? null : resolve(context.io.cwd, found);
}

async function runOriginal(
  context: CommandContext,
  lab: OpenLab,
  original: {
    readonly dist: string;
    readonly args: readonly string[];
    readonly namesrvAddr: string;
  },
): Promise<number> {
  const { io } = context;
  const tool = originalTool(original.dist, join(lab.runtime.allocation.stateDir, "mqadmin"), {
    args: original.args,
    javaHome: io.env["JAVA_HOME"],
  });
  const text = (chunk: Buffer): string => chunk.toString("utf8");
  return runLocalGuest(
    {
      ...tool,
      host: undefined,
      image: undefined,
      directory: io.cwd,
      stdin: null,
      onStdout: (chunk) => (context.json ? io.stderr : io.stdout).write(text(chunk)),
      onStderr: (chunk) => io.stderr.write(text(chunk)),
      say: (message) => context.progress.note(message),
      signal: context.signal,
    },
    original.namesrvAddr,
  );
}

export const mqadminCommand = defineCommand({
  name: "mqadmin",
  summary: "Apache's own mqadmin on this lab: how to run it, or run it",
  description:
    "With a distribution of RocketMQ 4.9 (--dist, else $ROCKETMQ_HOME) and Java 8 or newer it runs the original on this lab's name servers; output and exit code are its own (127: no Java). Without one it prints the lines that run it, from a distribution and from Apache's image. A folder with the jars of org.apache.rocketmq:rocketmq-tools will do.",
  examples: [
    { command: "lab mqadmin -- clusterList", what: "how to run it, or its output" },
    {
      command: "lab mqadmin --dist ~/rocketmq-4.9.7 -- topicStatus -t orders",
      what: "from this distribution",
    },
    { command: "lab mqadmin --print -- clusterList", what: "print only" },
  ],
  args: [
    {
      name: "ARGS",
      help: "mqadmin's own, after --; default: help",
      required: false,
      variadic: true,
    },
  ],
  options: {
    dist: textOption("--dist <dir>", "a distribution of RocketMQ, or a folder with its jars"),
    print: switchOption("--print", "run nothing"),
  },
  async run(context, { args: given, options }) {
    const lab = await openLab(context);
    const args = given.length === 0 ? ["help"] : given;
    const namesrvAddr = namesrvEndpoints(lab.runtime).join(";");
    const access = lab.runtime.containerAccess?.();
    const inside =
      access === undefined
        ? null
        : { network: access.network, namesrvAddr: access.namesrvAddrs.join(";") };
    const forms = originalForms(args, { namesrvAddr, inside });
    const dist = options.print ? null : distOf(context, options.dist);
    const exitCode =
      dist === null ? null : await runOriginal(context, lab, { dist, args, namesrvAddr });
    const lines = [
      "# with a distribution of RocketMQ 4.9 on this machine (or: lab mqadmin --dist DIR -- ...)",
      forms.local,
      "# with Apache's image",
      forms.container,
    ];
    return {
      schema: "lab.mqadmin/1",
      data: { lab: context.labName, args, namesrvAddr, ...forms, dist, exitCode },
      text: exitCode === null ? lines.join("\n") : "",
      exitCode: exitCode ?? 0,
    };
  },
});
