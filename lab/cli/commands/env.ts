import { namesrvEndpoints } from "../../runtime/wait/ready.ts";
import { machineAddress } from "../../runtime/wait/health.ts";
import { defineCommand, type CommandContext } from "../define-command.ts";
import { nameFlag, openLab, type OpenLab } from "../open-lab.ts";
import { choiceOption } from "../options.ts";

const SHELLS = ["sh", "bash", "zsh", "fish", "powershell"] as const;
type Shell = (typeof SHELLS)[number];

function shellOf(env: NodeJS.ProcessEnv): Shell {
  const name = env["SHELL"]?.split("/").at(-1);
  return SHELLS.find((shell) => shell === name) ?? "sh";
}

function variablesOf(context: CommandContext, lab: OpenLab): Readonly<Record<string, string>> {
  const { state, runtime } = lab;
  const access = runtime.containerAccess?.();
  const dashboard = state.topology.nodes.find((node) => node.role === "dashboard");
  return {
    NAMESRV_ADDR: namesrvEndpoints(runtime).join(";"),
    LAB_NAME: state.name,
    LAB_HOME: context.home,
    LAB_CLUSTER: state.topology.clusterName,
    ...(dashboard === undefined
      ? {}
      : { LAB_DASHBOARD_URL: `http://${machineAddress(runtime, dashboard.name)}` }),
    ...(access === undefined
      ? {}
      : {
          LAB_NETWORK: access.network,
          LAB_NAMESRV_ADDR_INSIDE: access.namesrvAddrs.join(";"),
        }),
  };
}

function quoted(shell: Shell, value: string): string {
  if (shell === "powershell") return `'${value.replaceAll("'", "''")}'`;
  if (shell === "fish") return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  return `'${value.replaceAll("'", "'\\''")}'`;
}

function line(shell: Shell, name: string, value: string): string {
  if (shell === "powershell") return `$Env:${name} = ${quoted(shell, value)}`;
  if (shell === "fish") return `set -gx ${name} ${quoted(shell, value)};`;
  return `export ${name}=${quoted(shell, value)}`;
}

function usage(shell: Shell, flag: string): string {
  if (shell === "powershell") return `lab env --shell powershell${flag} | Invoke-Expression`;
  if (shell === "fish") return `lab env --shell fish${flag} | source`;
  return `eval "$(lab env${flag})"`;
}

export const envCommand = defineCommand({
  name: "env",
  summary: "shell variables for clients: NAMESRV_ADDR and more",
  description:
    "Prints assignments for your shell. RocketMQ's Java client and mqadmin read NAMESRV_ADDR by themselves; LAB_NAME and LAB_HOME make later lab commands mean this lab. The lab need not be running: its addresses never change.",
  examples: [
    { command: 'eval "$(lab env)"', what: "in sh, bash and zsh" },
    { command: "lab env --shell fish | source", what: "in fish" },
    { command: "lab env --json", what: "for programs" },
  ],
  args: [],
  options: {
    shell: choiceOption("--shell <shell>", "default: the one of $SHELL, else sh", {
      allowed: SHELLS,
      initial: undefined,
    }),
  },
  async run(context, { options }) {
    const lab = await openLab(context);
    const shell = options.shell ?? shellOf(context.io.env);
    const variables = variablesOf(context, lab);
    const lines = Object.entries(variables).map(([name, value]) => line(shell, name, value));
    return {
      schema: "lab.env/1",
      data: { lab: context.labName, shell, variables },
      text: [...lines, `# ${usage(shell, nameFlag(context.labName))}`].join("\n"),
    };
  },
});
