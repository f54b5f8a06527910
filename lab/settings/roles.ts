/** Who is master after promotions: of a broker set the promoted node and the one its files call master change roles. */
import { EngineError } from "../../engine/base/engine-error.ts";
import type { LabNode, NodeSetting, Topology } from "../topology/topology.ts";

/** Promoted node by brokerName; a set that is not in it has the master its files name. */
export type Masters = Readonly<Record<string, string>>;

type Broker = NonNullable<LabNode["broker"]>;

/** Settings that make the node who it is, and go with the role. */
const ROLE_KEYS = ["brokerId", "brokerRole", "flushDiskType"] as const;

function as(node: LabNode, role: LabNode["role"], like: Broker, from: string): LabNode {
  if (node.broker === undefined) return node;
  const { brokerId, brokerRole, flushDiskType } = like;
  const others = (node.settings ?? []).filter(({ key }) => !ROLE_KEYS.some((own) => own === key));
  const settings: readonly NodeSetting[] = ROLE_KEYS.map((key) => ({
    key,
    value: String(like[key]),
    from,
  }));
  return {
    ...node,
    role,
    settings: [...settings, ...others],
    broker: { ...node.broker, brokerId, brokerRole, flushDiskType },
  };
}

/**
 * @param topology as its files say
 * @param masters promoted nodes
 * @returns the topology in which they are masters; a set's mode (SYNC_MASTER, SYNC_FLUSH) stays with the role
 * @throws EngineError LAB_CONFLICT when a promoted node is no longer one of its set
 */
export function withMasters(topology: Topology, masters: Masters): Topology {
  let nodes = topology.nodes;
  for (const [brokerName, name] of Object.entries(masters)) {
    const set = nodes.filter((node) => node.broker?.brokerName === brokerName);
    const next = set.find((node) => node.name === name);
    const old = set.find((node) => node.role === "broker-master");
    if (next?.broker === undefined || old?.broker === undefined) {
      throw new EngineError("LAB_CONFLICT", {
        message: `${name} was promoted to master of ${brokerName}, and the topology has no such broker any more`,
        hint: "put it back into topology.yaml, or start over with `lab reset`",
      });
    }
    if (next === old) continue;
    const from = `lab promote ${name}`;
    const [up, down] = [old.broker, next.broker];
    nodes = nodes.map((node) => {
      if (node === next) return as(node, "broker-master", up, from);
      return node === old ? as(node, "broker-slave", down, from) : node;
    });
  }
  return { ...topology, nodes };
}

/** A `--set NODE.brokerRole` from before a promotion would contradict it: the role wins. */
export function roleFirst(node: LabNode): LabNode {
  const { broker, settings } = node;
  const wanted = settings?.find(({ key }) => key === "brokerRole");
  if (broker === undefined || wanted === undefined) return node;
  const promoted = settings?.find(({ key }) => key === "brokerId");
  if (promoted === undefined) return node;
  if ((wanted.value === "SLAVE") === (node.role === "broker-slave")) return node;
  const setting = { key: "brokerRole", value: broker.brokerRole, from: promoted.from };
  return {
    ...node,
    settings: (settings ?? []).map((entry) => (entry === wanted ? setting : entry)),
  };
}
