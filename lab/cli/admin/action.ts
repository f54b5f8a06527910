/** What `lab admin NOUN VERB` is made of: one declared object an action; help, checks and completion come from it. */
import type { CommandContext, CommandExample, CommandResult } from "../define-command.ts";
import {
  choiceOption,
  durationOption,
  listOption,
  numberOption,
  switchOption,
  textOption,
  type OptionValues,
} from "../options.ts";
import type { AdminPlace } from "./place.ts";

const TIMEOUT_MAX_MS = 600_000;
const QUEUES_MAX = 1_024;
const COUNT_MAX = 10_000;
const DELAY_LEVEL_MAX = 32;

const number = (flags: string, help: string, max: number, min = 0) =>
  numberOption(flags, help, { min, max, initial: undefined });

/** Every option of every action; each action says which it uses, and defaults are the actions' own. */
export const ADMIN_OPTIONS = {
  namesrv: textOption(
    "--namesrv <address>",
    "another cluster's name servers instead of the lab's: host:port, several with ;",
  ),
  timeout: durationOption("--timeout <time>", "of each request; default 5s", {
    min: 100,
    max: TIMEOUT_MAX_MS,
    initial: undefined,
  }),
  cluster: textOption("--cluster <name>", "needed only where there are several"),
  broker: textOption("--broker <broker>", "broker-a, broker-a:1, a node of the lab, or host:port"),
  topic: textOption("--topic <topic>", "the topic"),
  group: textOption("--group <group>", "the consumer group"),
  all: switchOption("--all", "also what RocketMQ and the lab keep for themselves"),
  queues: number("--queues <n>", "queues a broker; default 8", QUEUES_MAX, 1),
  perm: choiceOption("--perm <perm>", "default rw", {
    allowed: ["rw", "r", "w"],
    initial: undefined,
  }),
  order: switchOption("--order", "keep the order of queues when a broker is lost"),
  to: textOption("--to <where>", "latest, earliest, or a time: 2026-11-28T10:00:00Z, or 10m ago"),
  key: textOption("--key <key>", "one of the message's keys, or its unique id"),
  since: textOption("--since <time>", "stored at or after: a time, or 10m ago"),
  until: textOption("--until <time>", "stored at or before"),
  count: number("--count <n>", "how many; default 10, to send 1", COUNT_MAX, 1),
  follow: switchOption("-f, --follow", "go on until Ctrl-C"),
  body: textOption("--body <text>", "the message's body"),
  tag: textOption("--tag <tag>", "the message's tag"),
  property: listOption("--property <name=value>", "a property of the message"),
  delay: number("--delay <level>", "delay level from 1", DELAY_LEVEL_MAX, 1),
  queue: number("--queue <n>", "queue id", QUEUES_MAX),
  offset: number("--offset <n>", "queue offset", Number.MAX_SAFE_INTEGER),
  keepOffsets: switchOption("--keep-offsets", "the group's offsets stay"),
};

export type AdminOptionValues = OptionValues<typeof ADMIN_OPTIONS>;
export type AdminOptionName = keyof typeof ADMIN_OPTIONS;

/** What an action gets: the cluster, and what the user said. */
export interface AdminCall {
  readonly context: CommandContext;
  readonly place: AdminPlace;
  /** Arguments after the verb; required ones are there. */
  readonly args: readonly string[];
  readonly options: AdminOptionValues;
}

/** What an action found or did; the schema is `lab.admin.NOUN.VERB/1`. */
export type AdminResult = Omit<CommandResult, "schema">;

export interface AdminAction {
  readonly noun: string;
  readonly verb: string;
  readonly summary: string;
  /** Names of its arguments; `?` at the end of one that may be left out, `...` of one that takes the rest. */
  readonly args: readonly string[];
  /** Besides --namesrv, --timeout. */
  readonly uses: readonly AdminOptionName[];
  /** Of `uses`, those it cannot do without. */
  readonly needs: readonly AdminOptionName[];
  readonly example: CommandExample;
  run(call: AdminCall): Promise<AdminResult>;
}
