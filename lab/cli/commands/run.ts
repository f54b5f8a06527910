import { EngineError } from "../../../engine/base/engine-error.ts";
import { suggestion } from "../../base/did-you-mean.ts";
import { defineCommand } from "../define-command.ts";
import { openLab, type OpenLab } from "../open-lab.ts";
import { listOption, offOption, switchOption, textOption } from "../options.ts";

function environmentOf(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(pair) ?? [];
      if (name !== undefined && value !== undefined) return [name, value];
      throw new EngineError("CLI_USAGE", {
        message: `--env "${pair}" is not NAME=VALUE`,
        hint: "for example `--env TOPIC=orders`",
      });
    }),
  );
}

function checkHost(lab: OpenLab, host: string | undefined): void {
  const { hosts } = lab.state.topology;
  if (host === undefined || hosts.includes(host)) return;
  throw new EngineError("CLI_USAGE", {
    message: `there is no host "${host}"`,
    hint: suggestion(host, hosts, `hosts are ${hosts.join(", ")}`),
  });
}

export const runCommand = defineCommand({
  name: "run",
  summary: "run a program of yours where the lab's nodes are",
  description:
    "In Docker: in a container in the lab's network, with the current folder mounted at the same path, from the nodes' image (Node, no shell tools) or one of yours. With local processes: on the machine. NAMESRV_ADDR is set either way. Output and exit code are the program's own; 126 and 127 mean that it could not be started. With --json its output goes to standard error. The container is removed at the end, also by Ctrl-C.",
  examples: [
    { command: "lab run -- node my-producer.mjs", what: "your client inside the network" },
    {
      command: "lab run --from host-2 --image eclipse-temurin:17 -- java -jar app.jar",
      what: "on the second host, with an image of yours",
    },
    { command: "lab run --env TOPIC=orders -- ./consume.sh", what: "with a variable" },
  ],
  args: [
    {
      name: "COMMAND",
      help: "program and its arguments, after --",
      required: true,
      variadic: true,
    },
  ],
  options: {
    image: textOption("--image <image>", "Docker only; pulled when it is not there"),
    from: textOption("--from <host>", "stand in that host's network too: host-1 or host-2"),
    env: listOption("-e, --env <name=value>", "a variable for the program"),
    interactive: switchOption("-i, --interactive", "hand standard input on"),
    mount: offOption("--no-mount", "do not mount the current folder"),
  },
  async run(context, { args, options }) {
    const lab = await openLab(context);
    checkHost(lab, options.from);
    const { io } = context;
    const begun = performance.now();
    const text = (chunk: Buffer): string => chunk.toString("utf8");
    const exitCode = await lab.runtime.runGuest({
      command: args,
      host: options.from,
      image: options.image,
      environment: environmentOf(options.env),
      directory: options.mount ? io.cwd : null,
      stdin: options.interactive ? io.stdin : null,
      onStdout: (chunk) => (context.json ? io.stderr : io.stdout).write(text(chunk)),
      onStderr: (chunk) => io.stderr.write(text(chunk)),
      say: (message) => context.progress.note(message),
      signal: context.signal,
    });
    const elapsedMs = Math.round(performance.now() - begun);
    return {
      schema: "lab.run/1",
      data: { lab: context.labName, command: args, exitCode, elapsedMs },
      text: "",
      exitCode,
    };
  },
});
