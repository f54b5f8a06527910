import { describe, expect, it } from "vitest";
import { describeFault, type FaultSpec, type FaultStep } from "../../../../lab/faults/fault.ts";
import { firewallTable } from "../../../../lab/faults/firewall.ts";
import { describeStep } from "../../../../lab/faults/describe-step.ts";
import { allLasting, outlivesNode } from "../../../../lab/faults/lasting.ts";
import { planFault } from "../../../../lab/faults/plan.ts";
import type { LabAllocation } from "../../../../lab/runtime/runtime.ts";
import { recordOf, withAllocation } from "./fault-fixture.ts";

const NONE = { netem: false, cpusMax: 2 };
const A = ["broker-a-master"];
const B = ["broker-a-slave"];

async function planned(spec: FaultSpec, netem = false): Promise<readonly FaultStep[]> {
  let steps: readonly FaultStep[] = [];
  await withAllocation("docker", (allocation) => {
    steps = planFault("f7", spec, { allocation, capabilities: { ...NONE, netem } }).steps;
  });
  return steps;
}

function commandsOf(steps: readonly FaultStep[], node: string): readonly string[] {
  return steps.flatMap((step) =>
    step.kind === "rules" && step.node === node ? step.apply.map((line) => line.join(" ")) : [],
  );
}

describe("plans of network faults", () => {
  it("a partition drops both ways at both ends, so that one end may start anew", async () => {
    const steps = await planned({ kind: "partition", from: A, to: B, oneWay: false, port: null });
    const own = commandsOf(steps, "broker-a-master");
    expect(own.filter((line) => line.includes("-d 198.51.100.113 -j DROP"))).toHaveLength(1);
    expect(own.filter((line) => line.includes("-s 198.51.100.113 -j DROP"))).toHaveLength(1);
    expect(
      commandsOf(steps, "broker-a-slave").filter((line) => line.includes("DROP")),
    ).toHaveLength(2);
  });

  it("one way touches one direction only, a port only that port", async () => {
    const steps = await planned({ kind: "partition", from: A, to: B, oneWay: true, port: 10_912 });
    const all = [...commandsOf(steps, A[0] ?? ""), ...commandsOf(steps, B[0] ?? "")];
    const drops = all.filter((line) => line.includes("DROP"));
    expect(drops).toEqual([
      "iptables -w -A LAB-f7 -d 198.51.100.113 -p tcp -m multiport --ports 10912 -j DROP",
      "iptables -w -A LAB-f7 -s 198.51.100.99 -p tcp -m multiport --ports 10912 -j DROP",
    ]);
  });

  it("nodes of one host are cut on both networks they share", async () => {
    const spec: FaultSpec = {
      kind: "partition",
      from: A,
      to: ["namesrv-1"],
      oneWay: true,
      port: null,
    };
    const drops = commandsOf(await planned(spec), "broker-a-master").filter((line) =>
      line.includes("DROP"),
    );
    expect(drops.map((line) => / -d (\S+)/.exec(line)?.[1])).toEqual([
      "198.51.100.98",
      "198.51.100.66",
    ]);
  });

  it("every rule stands in the fault's own chain, and healing names nothing else", async () => {
    for (const kind of ["partition", "reject"] as const) {
      const steps = await planned({ kind, from: A, to: B, oneWay: false, port: null });
      for (const step of steps) {
        if (step.kind !== "rules") throw new Error("only rules");
        for (const line of [...step.apply, ...step.heal]) expect(line).toContain("LAB-f7");
      }
    }
  });

  it("delay uses the kernel where it can, else a relay whose own connections are spared", async () => {
    const spec: FaultSpec = { kind: "delay", from: A, to: B, oneWay: false, delayMs: 20 };
    const kernel = await planned(spec, true);
    expect(commandsOf(kernel, "broker-a-master")).toEqual([
      "tc qdisc add dev @198.51.100.99 root netem delay 20ms",
    ]);
    const relayed = await planned(spec);
    const relay = relayed.find((step) => step.kind === "relay" && step.node === "broker-a-master");
    expect(relay).toMatchObject({ delayMs: 20 });
    const redirects = commandsOf(relayed, "broker-a-master").filter((line) =>
      line.includes("REDIRECT"),
    );
    expect(redirects).toHaveLength(3);
    for (const line of redirects) expect(line).toContain("! --uid-owner 10002");
  });

  it("a closed port passes the host's own processes and drops the rest", async () => {
    const spec: FaultSpec = { kind: "firewall", host: "host-1", nodes: A, port: 10_912 };
    const lines = commandsOf(await planned(spec), "broker-a-master");
    const rules = lines.filter((line) => line.includes("-A LAB-f7 "));
    expect(rules.map((line) => line.replace("iptables -w -A LAB-f7 ", ""))).toEqual([
      "-i lo -j RETURN",
      // The machine comes in through the bridge.
      "-s 198.51.100.65 -p tcp --dport 10912 -j DROP",
      "-s 198.51.100.64/28 -j RETURN",
      ...[98, 99, 100, 101].map((last) => `-s 198.51.100.${last} -j RETURN`),
      "-p tcp --dport 10912 -j DROP",
    ]);
  });

  it("the plan is told in words, with how it is undone", async () => {
    const steps = await planned({ kind: "cpu", nodes: A, cpus: 0.5 });
    expect(steps.flatMap(describeStep)).toEqual([
      "broker-a-master: container limit cpus 0.5; heal: 2",
    ]);
  });

  it("a limit that takes nothing away is refused", async () => {
    await expect(planned({ kind: "memory", nodes: A, mib: 4_096 })).rejects.toThrow(
      /takes nothing/,
    );
    await expect(planned({ kind: "cpu", nodes: A, cpus: 8 })).rejects.toThrow(/takes nothing/);
  });
});

describe("plans of disks", () => {
  const spec: FaultSpec = { kind: "disk-full", nodes: [...A], leaveBytes: 4_096 };

  it("only a lab with disks of its own can have full ones; the refusal says how to make one", () =>
    withAllocation("docker", (allocation) => {
      const around = { allocation, capabilities: NONE };
      expect(() => planFault("f1", spec, around)).toThrow(
        expect.objectContaining({
          code: "LAB_FAULT_UNSUPPORTED",
          hint: expect.stringContaining("--disk 512m") as string,
        }),
      );
      const withDisks = { ...around, allocation: { ...allocation, diskMiB: 128 } };
      const { steps } = planFault("f1", spec, withDisks);
      expect(steps).toEqual([{ kind: "ballast", node: A[0], leaveBytes: 4_096 }]);
      expect(steps.flatMap(describeStep)[0]).toContain("all room but 4096 bytes; heal: remove it");
      expect(() => planFault("f1", { ...spec, nodes: ["dashboard"] }, withDisks)).toThrow(
        /keeps nothing on a disk/,
      );
    }));

  it("a read-only disk takes a kernel that can be told of an error", () =>
    withAllocation("docker", (allocation) => {
      const broken: FaultSpec = { kind: "disk-readonly", nodes: A };
      const around = { allocation: { ...allocation, diskMiB: 128 }, capabilities: NONE };
      const { steps } = planFault("f1", broken, around);
      expect(steps).toEqual([{ kind: "readonly", node: A[0] }]);
      expect(steps.flatMap(describeStep)[0]).toContain("heal: stop it, repair the disk, start it");
      const capabilities = { ...NONE, diskErrors: false };
      expect(() => planFault("f1", broken, { ...around, capabilities })).toThrow(
        expect.objectContaining({
          code: "LAB_FAULT_UNSUPPORTED",
          message: expect.stringContaining("trigger_fs_error") as string,
          hint: expect.stringContaining("disk-full") as string,
        }),
      );
      expect(() => planFault("f1", broken, { allocation, capabilities: NONE })).toThrow(
        /without disks of their own/,
      );
    }));

  it("who brings a lab down of whose faults nothing is known looks at all that outlives a node", () =>
    withAllocation("docker", (allocation) => {
      const kindsOf = (lab: LabAllocation): string[] =>
        allLasting(lab).map(({ kind, node }) => `${kind} ${node}`);
      expect(kindsOf(allocation)).toHaveLength(6);
      expect(kindsOf({ ...allocation, diskMiB: 128 })).toEqual(
        expect.arrayContaining(["ballast namesrv-2", "readonly broker-b-slave"]),
      );
      for (const step of allLasting({ ...allocation, diskMiB: 128 }))
        expect(outlivesNode(step)).toBe(true);
    }));
});

describe("plans of clocks", () => {
  const spec: FaultSpec = { kind: "clock", nodes: [...A, "namesrv-1"], offsetMs: -30_000 };

  it.each(["docker", "process"] as const)("one step a node in the %s runtime", (runtime) =>
    withAllocation(runtime, (allocation) => {
      const { steps, proofs } = planFault("f1", spec, { allocation, capabilities: NONE });
      expect(proofs).toEqual([]);
      expect(steps).toEqual(spec.nodes.map((node) => ({ kind: "clock", node, offsetMs: -30_000 })));
      expect(steps.flatMap(describeStep)[0]).toBe(
        "broker-a-master: wall clock -30.0 s; heal: the machine's",
      );
      expect(describeFault(spec)).toBe("clock of broker-a-master, namesrv-1 shifted by -30.0 s");
    }),
  );

  it("a dashboard has no place for an offset, and Apache's Java does not look at one", () =>
    withAllocation("process", (allocation) => {
      const around = { allocation, capabilities: NONE };
      expect(() => planFault("f1", { ...spec, nodes: ["dashboard"] }, around)).toThrow(
        /keeps nothing on a disk/,
      );
      const nodes = allocation.topology.nodes.map((node) =>
        node.name === A[0] ? { ...node, engine: { kind: "apache", from: "image" } as const } : node,
      );
      const mixed = { ...allocation, topology: { ...allocation.topology, nodes } };
      expect(() => planFault("f1", spec, { ...around, allocation: mixed })).toThrow(
        expect.objectContaining({
          code: "LAB_FAULT_UNSUPPORTED",
          hint: expect.stringContaining("lab pause broker-a-master") as string,
        }),
      );
    }));
});

describe("what a runtime cannot do", () => {
  const link = { from: A, to: B, oneWay: false };
  const specs: readonly FaultSpec[] = [
    { kind: "partition", ...link, port: null },
    { kind: "reject", ...link, port: null },
    { kind: "loss", ...link, percent: 1 },
    { kind: "delay", ...link, delayMs: 5 },
    { kind: "bandwidth", nodes: A, bitsPerSecond: 1e6 },
    { kind: "firewall", host: "host-1", nodes: A, port: 10_911 },
    { kind: "memory", nodes: A, mib: 64 },
    { kind: "cpu", nodes: A, cpus: 0.1 },
    { kind: "disk-slow", nodes: A, iops: 20 },
    { kind: "disk-full", nodes: A, leaveBytes: 0 },
    { kind: "disk-readonly", nodes: A },
  ];
  it.each(specs)("$kind is refused for local processes with reason and alternative", (spec) =>
    withAllocation("process", (allocation) => {
      let error: unknown;
      try {
        planFault("f1", spec, { allocation, capabilities: NONE });
      } catch (caught) {
        error = caught;
      }
      expect(error).toMatchObject({ code: "LAB_FAULT_UNSUPPORTED" });
      expect((error as { hint: string }).hint).toMatch(
        /Docker.+nearest here: `lab (pause|stop|kill)/,
      );
    }),
  );
});

it("the port table knows every port of every host and who closed it", () =>
  withAllocation("docker", ({ topology }) => {
    const spec: FaultSpec = { kind: "firewall", host: "host-1", nodes: A, port: 10_912 };
    const rows = firewallTable(topology, [recordOf("f4", spec)]);
    expect(rows).toHaveLength(topology.nodes.flatMap((node) => node.ports).length);
    const closed = rows.filter((row) => row.state === "closed");
    expect(closed).toMatchObject([
      { host: "host-1", port: 10_912, node: "broker-a-master", fault: "f4" },
    ]);
    expect(closed[0]?.whenClosed).toContain("replication");
  }));
