/** `lab admin brokers`: which there are, how they are set, and changing that at run time. */
import { EngineError } from "../../../engine/base/engine-error.ts";
import { suggestion } from "../../base/did-you-mean.ts";
import { EXIT } from "../exit-codes.ts";
import { table } from "../output.ts";
import type { AdminAction, AdminCall, AdminResult } from "./action.ts";
import { inTurn } from "./in-turn.ts";
import type { BrokerAddress } from "./place.ts";

/** The first of "one minute, one hour, one day" figures, or the only one. */
function firstNumber(text: string | undefined): number | null {
  const value = Number.parseFloat(text ?? "");
  return Number.isNaN(value) ? null : value;
}

async function factsOf(call: AdminCall, broker: BrokerAddress) {
  const { cluster, brokerName, brokerId, address } = broker;
  const role = brokerId === 0 ? ("master" as const) : ("slave" as const);
  const known = { cluster, broker: brokerName, brokerId, role, address };
  try {
    const info = await call.place.admin.runtimeInfo(address);
    const disk = firstNumber(info.get("commitLogDiskRatio"));
    return {
      ...known,
      answers: true,
      error: "",
      version: info.get("brokerVersionDesc") ?? null,
      putTps: firstNumber(info.get("putTps")),
      getTps: firstNumber(info.get("getTransferedTps")),
      logBytes: firstNumber(info.get("commitLogMaxOffset")),
      // A broker that never stored a message says -1.
      diskRatio: disk === null || disk < 0 ? null : disk,
    };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const none = { version: null, putTps: null, getTps: null, logBytes: null, diskRatio: null };
    return { ...known, answers: false, error: error.message, ...none };
  }
}

const shown = (value: number | null, digits: number): string => value?.toFixed(digits) ?? "-";

async function list(call: AdminCall): Promise<AdminResult> {
  const { place, context } = call;
  const brokers = await inTurn(place.brokers(), (broker) => factsOf(call, broker));
  const rows = brokers.map((row) => [
    context.color.bold(row.broker),
    `${row.role} ${row.brokerId}`,
    row.address,
    row.version ?? "-",
    shown(row.putTps, 1),
    shown(row.getTps, 1),
    shown(row.logBytes, 0),
    row.diskRatio === null ? "-" : `${shown(row.diskRatio * 100, 0)} %`,
    row.answers ? "answers" : context.color.red(`silent: ${row.error}`),
  ]);
  const header = [
    "BROKER",
    "ROLE",
    "ADDRESS",
    "VERSION",
    "PUT/S",
    "GET/S",
    "LOG BYTES",
    "DISK",
    "",
  ];
  return {
    data: { namesrv: place.namesrvAddr, brokers },
    text: rows.length === 0 ? "no broker is registered" : table(header, rows),
  };
}

async function config(call: AdminCall): Promise<AdminResult> {
  const { place } = call;
  const [word = "", ...keys] = call.args;
  const { brokerName, brokerId, address } = place.broker(word);
  const all = await place.admin.brokerConfig(address);
  const wrong = keys.find((key) => !all.has(key));
  if (wrong !== undefined) {
    throw new EngineError("ADMIN_NOT_FOUND", {
      message: `${brokerName} has no setting "${wrong}"`,
      hint: suggestion(wrong, [...all.keys()], `\`lab admin brokers config ${word}\` lists all`),
    });
  }
  const chosen = [...all]
    .filter(([key]) => keys.length === 0 || keys.includes(key))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    data: { broker: brokerName, brokerId, address, settings: Object.fromEntries(chosen) },
    text: chosen.map(([key, value]) => `${key}=${value}`).join("\n"),
  };
}

function pairs(words: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    words.map((word) => {
      const [, key, value] = /^([A-Za-z_][\w.]*)=(.*)$/s.exec(word) ?? [];
      if (key !== undefined && value !== undefined && !/[\r\n]/.test(value)) return [key, value];
      throw new EngineError("CLI_USAGE", {
        message: `"${word}" is not KEY=VALUE`,
        hint: "for example `lab admin brokers set broker-a fileReservedTime=24`",
      });
    }),
  );
}

async function set(call: AdminCall): Promise<AdminResult> {
  const { place, context } = call;
  const [word = "", ...words] = call.args;
  const target = place.broker(word);
  const { address, brokerName, brokerId } = target;
  const wanted = pairs(words);
  const before = await place.admin.brokerConfig(address);
  const unknown = [...wanted.keys()].find((key) => !before.has(key));
  // 4.9 drops a key it does not know without a word (admin-protocol D.5).
  if (unknown !== undefined) {
    throw new EngineError("ADMIN_NOT_FOUND", {
      message: `${brokerName} has no setting "${unknown}"; nothing was changed`,
      hint: suggestion(unknown, [...before.keys()], "see `lab admin brokers config`"),
    });
  }
  await place.admin.updateBrokerConfig(address, wanted);
  const now = await place.admin.brokerConfig(address);
  const changes = [...wanted].map(([key, value]) => ({
    key,
    before: before.get(key) ?? "",
    after: now.get(key) ?? "",
    took: now.get(key) === value,
  }));
  const lines = changes.map(({ key, before: old, after, took }) =>
    took
      ? `${context.color.bold(key)}: ${old} → ${after}`
      : `${context.color.red(key)}: the broker said yes and kept ${after}`,
  );
  return {
    data: { broker: brokerName, brokerId, address, changes },
    text: lines.join("\n"),
    exitCode: changes.every(({ took }) => took) ? EXIT.done : EXIT.notReady,
  };
}

export const BROKER_ACTIONS: readonly AdminAction[] = [
  {
    noun: "brokers",
    verb: "list",
    summary: "every registered broker and its figures",
    args: [],
    uses: [],
    needs: [],
    example: { command: "lab admin brokers", what: "roles, addresses, rates, disk" },
    run: list,
  },
  {
    noun: "brokers",
    verb: "config",
    summary: "effective settings, as the broker tells them",
    args: ["BROKER", "KEY?..."],
    uses: [],
    needs: [],
    example: {
      command: "lab admin brokers config broker-a:1 brokerRole",
      what: "one setting of a slave",
    },
    run: config,
  },
  {
    noun: "brokers",
    verb: "set",
    summary: "change settings at run time, and read them back",
    args: ["BROKER", "KEY=VALUE..."],
    uses: [],
    needs: [],
    example: {
      command: "lab admin brokers set broker-a fileReservedTime=24",
      what: "until its next start; Apache's broker also rewrites its property file",
    },
    run: set,
  },
];
