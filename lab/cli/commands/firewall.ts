import { EngineError } from "../../../engine/base/engine-error.ts";
import { firewallTable, type FirewallRow } from "../../faults/firewall.ts";
import { defineCommand, type CommandContext, type CommandResult } from "../define-command.ts";
import { FAULT_OPTIONS, faultControl, healExit, renderFault, runFault } from "../fault-run.ts";
import { openLab, type OpenLab } from "../open-lab.ts";
import { table } from "../output.ts";

function rowsOf(context: CommandContext, lab: OpenLab): readonly FirewallRow[] {
  const { ledger } = faultControl(context, lab, "firewall");
  return firewallTable(lab.state.topology, ledger.open());
}

function show(context: CommandContext, lab: OpenLab): CommandResult {
  const rows = rowsOf(context, lab);
  const lines = rows.map((row) => [
    row.host,
    String(row.port),
    context.color.bold(row.node),
    row.what,
    row.state === "open" ? "open" : context.color.red(`closed (${row.fault ?? ""})`),
    row.whenClosed,
  ]);
  return {
    schema: "lab.firewall.show/1",
    data: { lab: context.labName, ports: rows },
    text: table(["HOST", "PORT", "NODE", "WHAT", "STATE", "WHEN CLOSED"], lines, {
      columns: context.io.columns(),
    }),
  };
}

/** The rows of a port of a host. @throws EngineError CLI_USAGE when nothing listens there */
function meant(rows: readonly FirewallRow[], host: string, port: number): readonly FirewallRow[] {
  const found = rows.filter((row) => row.host === host && row.port === port);
  if (found.length > 0) return found;
  throw new EngineError("CLI_USAGE", {
    message: `nothing of ${host === "" ? "a host" : host} listens on port ${Number.isNaN(port) ? "?" : port}`,
    hint: "`lab firewall show` lists hosts and ports; for example `lab firewall close host-1 10912`",
  });
}

async function reopen(
  context: CommandContext,
  lab: OpenLab,
  rows: readonly FirewallRow[],
): Promise<CommandResult> {
  const ids = [...new Set(rows.flatMap((row) => (row.fault === null ? [] : [row.fault])))];
  const healed =
    ids.length === 0 ? [] : await faultControl(context, lab, "firewall open").heal(ids);
  const { host, port } = rows[0] ?? { host: "", port: 0 };
  const was =
    healed.length === 0
      ? [`port ${port} of ${host} was open`]
      : healed.map((record) => renderFault(context, record));
  return {
    schema: "lab.firewall.open/1",
    data: { lab: context.labName, host, port, healed: ids },
    text: was.join("\n"),
    exitCode: healExit(healed) ?? 0,
  };
}

export const firewallCommand = defineCommand({
  name: "firewall",
  summary: "which ports each host opens; close and open them",
  description:
    "The security group of each emulated host. A closed port drops what comes from outside the host, also from this machine; processes of the same host still reach it. show tells what breaks when a port is closed.",
  examples: [
    { command: "lab firewall show", what: "hosts, ports, who listens, what breaks" },
    { command: "lab firewall close host-1 10912", what: "forget to open the replication port" },
    { command: "lab firewall open host-1 10912", what: "and open it again" },
  ],
  args: [
    { name: "ACTION", help: "show, close or open", required: true },
    { name: "HOST", help: "host-1 or host-2", required: false },
    { name: "PORT", help: "as the node listens inside", required: false },
  ],
  options: FAULT_OPTIONS,
  async run(context, { args, options }) {
    const [action = "", host = "", port = ""] = args;
    if (!["show", "close", "open"].includes(action)) {
      throw new EngineError("CLI_USAGE", {
        message: `\`lab firewall\` knows show, close and open, not "${action}"`,
        hint: "for example `lab firewall close host-1 10912`",
      });
    }
    const lab = await openLab(context);
    if (action === "show") return show(context, lab);
    const rows = meant(rowsOf(context, lab), host, Number(port));
    if (action === "open") return reopen(context, lab, rows);
    return runFault(context, lab, {
      name: "firewall close",
      spec: { kind: "firewall", host, port: Number(port), nodes: rows.map((row) => row.node) },
      forMs: options.for,
      planOnly: options.plan,
      next: [`lab firewall open ${host} ${port}`],
    });
  },
});
