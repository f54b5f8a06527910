import { describe, expect, it } from "vitest";
import { subnetsFor } from "../../../../lab/compose/subnets.ts";
import type { FaultPlan, FaultSpec } from "../../../../lab/faults/fault.ts";
import { planFault } from "../../../../lab/faults/plan.ts";
import { loadTopologyFolder } from "../../../../lab/topology/load.ts";
import { serversTopology } from "../../../helpers/servers-topology.ts";

function plan(spec: FaultSpec): FaultPlan {
  using folder = serversTopology();
  const { topology } = loadTopologyFolder(folder.dir);
  const subnets = subnetsFor(0, topology);
  const allocation = {
    name: "far",
    runtime: "docker",
    topology,
    subnets,
    stateDir: folder.dir,
  } as const;
  return planFault("f1", spec, { allocation, capabilities: { netem: false, cpusMax: 2 } });
}

/** Rules that drop or refuse, by node. */
function rules(made: FaultPlan): Readonly<Record<string, readonly string[]>> {
  const steps = made.steps.flatMap((step) => (step.kind === "rules" ? [step] : []));
  return Object.fromEntries(
    steps.map((step) => [
      step.node,
      step.apply
        .map((words) => words.join(" "))
        .filter((line) => line.includes(" -A "))
        .map((line) => line.replace("iptables -w -A LAB-f1 ", "")),
    ]),
  );
}

const link = { from: ["broker-a-master"], to: ["broker-a-slave"] };

describe("cuts between nodes of two servers", () => {
  it("are made by the port of the node that listens, where a packet can be only theirs", () => {
    const made = plan({ kind: "partition", ...link, oneWay: true, port: null });
    expect(rules(made)).toEqual({
      "broker-a-master": ["-d 203.0.113.2 -p tcp -m multiport --dports 11011,11009,11012 -j DROP"],
      "broker-a-slave": ["-s 203.0.113.1 -p tcp -m multiport --sports 10911,10909,10912 -j DROP"],
    });
    expect(made.proofs).toMatchObject([{ kind: "connect", host: "203.0.113.2", port: 11_011 }]);
  });

  it("of one port leave the others alone", () => {
    const made = plan({ kind: "partition", ...link, oneWay: false, port: 10_912 });
    const all = Object.values(rules(made)).flat();
    // Of the two only the master has that port: its answers arrive at the slave, the slave's requests leave there.
    expect(rules(made)["broker-a-slave"]).toEqual([
      "-s 203.0.113.1 -p tcp -m multiport --sports 10912 -j DROP",
      "-d 203.0.113.1 -p tcp -m multiport --dports 10912 -j DROP",
    ]);
    expect(all).toHaveLength(2);
  });

  it("between two nodes of one server also hold over the server's own address", () => {
    const near = { from: ["broker-a-master"], to: ["broker-b-slave"] };
    const made = plan({ kind: "reject", ...near, oneWay: true, port: null });
    expect(rules(made)["broker-a-master"]).toEqual([
      "-d 198.51.100.4 -p tcp -j REJECT --reject-with tcp-reset",
      "-d 203.0.113.1 -p tcp -m multiport --dports 11011,11009,11012 -j REJECT --reject-with tcp-reset",
    ]);
  });

  it("shape the interface of the host's network", () => {
    const made = plan({ kind: "bandwidth", nodes: ["broker-b-master"], bitsPerSecond: 1e6 });
    expect(made.proofs).toMatchObject([{ device: "@198.51.100.20", host: "198.51.100.17" }]);
  });

  it.each([
    { kind: "loss", ...link, oneWay: true, percent: 5 },
    { kind: "disk-slow", nodes: ["broker-a-master"], iops: 20 },
  ] satisfies FaultSpec[])("$kind is refused with the reason and what comes nearest", (spec) => {
    expect(() => plan(spec)).toThrow(
      expect.objectContaining({
        code: "LAB_FAULT_UNSUPPORTED",
        message: expect.stringContaining("on hosts that are servers") as string,
        hint: expect.stringContaining("nearest: ") as string,
      }),
    );
  });
});
