/** What a cluster promises, computed from its settings (DESIGN 2, faults-and-security 2), one line each. */
import type { LabNode } from "./topology.ts";

/** What the promises of one cluster follow from. */
interface Mode {
  readonly masters: number;
  /** Every broker set has a slave on another host. */
  readonly copied: boolean;
  readonly hasSlaves: boolean;
  readonly syncReplication: boolean;
  readonly syncFlush: boolean;
}

function modeOf(nodes: readonly LabNode[]): Mode {
  const masters = nodes.filter((node) => node.role === "broker-master");
  const slavesOf = (master: LabNode): readonly LabNode[] =>
    nodes.filter(
      (node) =>
        node.role === "broker-slave" && node.broker?.brokerName === master.broker?.brokerName,
    );
  return {
    masters: masters.length,
    copied: masters.every((master) => slavesOf(master).some((slave) => slave.host !== master.host)),
    hasSlaves: masters.every((master) => slavesOf(master).length > 0),
    syncReplication: masters.every((master) => master.broker?.brokerRole === "SYNC_MASTER"),
    syncFlush: masters.every((master) => master.broker?.flushDiskType === "SYNC_FLUSH"),
  };
}

function availability(mode: Mode): readonly string[] {
  if (mode.masters === 1) {
    return [
      mode.hasSlaves
        ? "The master down: sends fail until it is back; its slave goes on serving reads."
        : "The broker down: the service is down until it is back.",
    ];
  }
  return [
    "A master down: sends go on through the others.",
    mode.hasSlaves
      ? "A master down: its unread messages are read from its slave, which never becomes master by itself."
      : "A master down: its unread messages wait for its return.",
  ];
}

function afterProcessLoss(): string {
  return "A broker process killed: no acknowledged message is lost.";
}

function afterPowerLoss(mode: Mode): string {
  if (mode.syncFlush) return "Power lost on one host: no acknowledged message is lost.";
  if (mode.syncReplication && mode.copied)
    return "Power lost on one host: no acknowledged message is lost; the master takes its lost tail back from the slave.";
  return "Power lost on one host: at most the messages of the last flush interval (500 ms) are lost, always the newest ones.";
}

function afterDiskLoss(mode: Mode): string {
  if (!mode.hasSlaves) return "A master's disk lost: its messages are gone.";
  return mode.syncReplication
    ? "A master's disk lost: nothing answered SEND_OK is lost, its slave has it."
    : "A master's disk lost: the last milliseconds, which its slave had not received yet, are gone.";
}

function whileSlaveIsAway(mode: Mode): readonly string[] {
  if (!mode.syncReplication || !mode.hasSlaves) return [];
  return [
    "A slave down: its master stores on and says so with every answer (SLAVE_NOT_AVAILABLE instead of SEND_OK).",
  ];
}

/** @returns the promise sheet of a cluster */
export function promisesOf(nodes: readonly LabNode[]): readonly string[] {
  const mode = modeOf(nodes);
  return [
    ...availability(mode),
    afterProcessLoss(),
    afterPowerLoss(mode),
    afterDiskLoss(mode),
    ...whileSlaveIsAway(mode),
  ];
}
