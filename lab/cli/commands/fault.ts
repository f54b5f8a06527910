import { describeFault } from "../../faults/fault.ts";
import { defineCommand, type CommandContext, type CommandResult } from "../define-command.ts";
import { faultSpec } from "../fault-input.ts";
import { FAULT_OPTIONS, faultControl, runFault } from "../fault-run.ts";
import { openLab, type OpenLab } from "../open-lab.ts";
import { durationOption, numberOption, sizeOption, switchOption, textOption } from "../options.ts";
import { table } from "../output.ts";

const DELAY_MAX_MS = 60_000;
const MIB = 1_048_576;

function list(context: CommandContext, lab: OpenLab): CommandResult {
  const faults = faultControl(context, lab, "fault list").ledger.all();
  const rows = faults.map((record) => [
    context.color.bold(record.id),
    record.spec.kind,
    record.state,
    record.injectedAt,
    record.healedAt ?? record.expiresAt ?? "-",
    describeFault(record.spec),
  ]);
  const header = ["ID", "KIND", "STATE", "SINCE", "HEALED/UNTIL", "WHAT"];
  return {
    schema: "lab.fault.list/1",
    data: { lab: context.labName, faults },
    text:
      rows.length === 0
        ? "no faults so far"
        : table(header, rows, { columns: context.io.columns(), drop: ["SINCE", "HEALED/UNTIL"] }),
  };
}

export const faultCommand = defineCommand({
  name: "fault",
  summary: "break the network, limits, disks or clocks of nodes; list what is broken",
  description:
    "Kinds with two ends: partition, reject, loss, delay. Kinds on nodes: bandwidth, memory, cpu, disk-slow, disk-lost, disk-full, disk-readonly, clock. disk-full and disk-readonly need a lab with disks of its own (`lab up --disk`). Without a second end the nodes are cut from all others. A fault is written down before it is made, measured from inside the nodes' networks, and stays until `lab heal`; with --for until the time is over, Ctrl-C comes, or the next command finds this one dead. Connections from this machine's published ports are not part of the lab's networks and stay as they are. delay holds bytes in the kernel (netem) or, without that, in a relay beside each node, which resets connections from before the fault.",
  examples: [
    {
      command: "lab fault partition host-1 host-2 --for 30s",
      what: "the internet between the hosts is down",
    },
    {
      command: "lab fault partition broker-a-master broker-a-slave --port 10912",
      what: "only replication is cut",
    },
    {
      command: "lab fault partition broker-a-master @namesrvs --one-way",
      what: "its packets are lost, answers are not",
    },
    {
      command: "lab fault reject @broker-a namesrv-1",
      what: "connections are refused instead of lost",
    },
    { command: "lab fault loss host-1 host-2 --percent 2", what: "every fiftieth packet is lost" },
    { command: "lab fault delay host-1 host-2 --by 20ms", what: "40 ms more a round trip" },
    {
      command: "lab fault bandwidth broker-a-master --rate 20mbit",
      what: "a slow uplink to the internet network",
    },
    { command: "lab fault memory broker-a-slave --memory 96m", what: "until the system kills it" },
    { command: "lab fault cpu broker-a-master --cpus 0.1", what: "a busy neighbour" },
    { command: "lab fault disk-slow broker-a-master --iops 20", what: "50 ms a write" },
    {
      command: "lab fault disk-lost broker-a-slave",
      what: "kill it and wipe its volume; heal starts it empty",
    },
    {
      command: "lab fault disk-full broker-a-master",
      what: "to the last block, in a lab of `lab up --disk 512m`; heal makes room",
    },
    {
      command: "lab fault disk-readonly broker-a-master",
      what: "as a dying disk does; heal stops it, repairs the disk, starts it",
    },
    {
      command: "lab fault clock broker-a-master --offset +2m",
      what: "its wall clock is two minutes ahead (or -30s), its timers are not",
    },
    { command: "lab fault list", what: "what is and was in effect" },
    { command: "lab fault partition host-1 host-2 --plan", what: "print the rules, do nothing" },
  ],
  args: [
    { name: "KIND", help: "list, or one of the kinds above", required: true },
    {
      name: "TARGET",
      help: "nodes, groups or hosts; several with commas",
      required: false,
      variadic: true,
    },
  ],
  options: {
    ...FAULT_OPTIONS,
    oneWay: switchOption("--one-way", "only from the first end to the second"),
    port: numberOption("--port <port>", "partition, reject: only this TCP port", {
      min: 1,
      max: 65_535,
      initial: undefined,
    }),
    percent: textOption("--percent <n>", "loss: how many packets of a hundred"),
    by: durationOption("--by <time>", "delay: how much a direction", {
      min: 1,
      max: DELAY_MAX_MS,
      initial: undefined,
    }),
    rate: textOption("--rate <rate>", "bandwidth: for example 20mbit"),
    memory: sizeOption("--memory <size>", "memory: the new limit", {
      min: 16 * MIB,
      max: 65_536 * MIB,
      initial: undefined,
    }),
    cpus: textOption("--cpus <n>", "cpu: the new limit, for example 0.1"),
    iops: numberOption("--iops <n>", "disk-slow: writes a second; default 20", {
      min: 1,
      max: 100_000,
      initial: undefined,
    }),
    leave: sizeOption("--leave <size>", "disk-full: room that stays; default 0", {
      min: 0,
      max: 65_536 * MIB,
      initial: 0,
    }),
    offset: textOption("--offset <time>", "clock: ahead or behind, for example +2m or -30s"),
  },
  async run(context, { args, options }) {
    const lab = await openLab(context);
    if (args[0] === "list") return list(context, lab);
    return runFault(context, lab, {
      name: "fault",
      spec: faultSpec(lab, args, options),
      forMs: options.for,
      planOnly: options.plan,
    });
  },
});
