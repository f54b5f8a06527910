/** From the words of a command line to one action, with everything that is wrong told before anything is asked of the cluster. */
import { EngineError } from "../../../engine/base/engine-error.ts";
import { suggestion } from "../../base/did-you-mean.ts";
import {
  ADMIN_OPTIONS,
  type AdminAction,
  type AdminOptionName,
  type AdminOptionValues,
} from "./action.ts";
import { BROKER_ACTIONS } from "./brokers.ts";
import { GROUP_ACTIONS } from "./groups.ts";
import { MESSAGE_ACTIONS } from "./messages.ts";
import { OFFSET_ACTIONS } from "./offsets.ts";
import { TOPIC_ACTIONS } from "./topics.ts";

/** Every action, in the order of the help. */
export const ADMIN_ACTIONS: readonly AdminAction[] = [
  ...TOPIC_ACTIONS,
  ...GROUP_ACTIONS,
  ...MESSAGE_ACTIONS,
  ...OFFSET_ACTIONS,
  ...BROKER_ACTIONS,
];

export const ADMIN_NOUNS: readonly string[] = [...new Set(ADMIN_ACTIONS.map(({ noun }) => noun))];

const ALWAYS: readonly AdminOptionName[] = ["namesrv", "timeout"];

function usage(message: string, hint: string): EngineError {
  return new EngineError("CLI_USAGE", { message, hint });
}

function flagOf(name: AdminOptionName): string {
  return /--[a-z-]+/.exec(ADMIN_OPTIONS[name].flags)?.[0] ?? name;
}

function isGiven(value: AdminOptionValues[AdminOptionName]): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}

/** @returns `lab admin topics show TOPIC` */
export function actionUsage({ noun, verb, args, needs }: AdminAction): string {
  const named = args.map((arg) => (arg.includes("?") ? `[${arg.replace("?", "")}]` : arg));
  return ["lab admin", noun, verb, ...named, ...needs.map(flagOf)].join(" ");
}

function lookUp(words: readonly string[]): { action: AdminAction; args: readonly string[] } {
  const [noun = "", verb, ...rest] = words;
  const own = ADMIN_ACTIONS.filter((action) => action.noun === noun);
  if (own.length === 0) {
    throw usage(
      `\`lab admin\` knows no "${noun}"`,
      suggestion(noun, ADMIN_NOUNS, `it knows ${ADMIN_NOUNS.join(", ")}`),
    );
  }
  const verbs = own.map((action) => action.verb);
  const action = own.find((candidate) => candidate.verb === (verb ?? "list"));
  if (action !== undefined) return { action, args: rest };
  if (verb === undefined) {
    throw usage(`\`lab admin ${noun}\` needs a verb`, `one of ${verbs.join(", ")}`);
  }
  throw usage(
    `\`lab admin ${noun}\` knows no "${verb}"`,
    suggestion(verb, verbs, `it knows ${verbs.join(", ")}`),
  );
}

function checkArgs(action: AdminAction, args: readonly string[]): void {
  const example = `for example \`${action.example.command}\``;
  const missing = action.args.find((arg, index) => !arg.includes("?") && index >= args.length);
  if (missing !== undefined)
    throw usage(`\`${actionUsage(action)}\` needs ${missing.replace("...", "")}`, example);
  const isOpen = action.args.at(-1)?.endsWith("...") === true;
  const extra = isOpen ? undefined : args[action.args.length];
  if (extra !== undefined)
    throw usage(`"${extra}" is too much for \`${actionUsage(action)}\``, example);
}

function checkOptions(action: AdminAction, options: AdminOptionValues): void {
  const names = Object.keys(ADMIN_OPTIONS) as AdminOptionName[];
  const example = `for example \`${action.example.command}\``;
  const missing = action.needs.find((name) => !isGiven(options[name]));
  if (missing !== undefined)
    throw usage(`\`lab admin ${action.noun} ${action.verb}\` needs ${flagOf(missing)}`, example);
  const foreign = names.find(
    (name) => isGiven(options[name]) && ![...ALWAYS, ...action.uses].includes(name),
  );
  if (foreign === undefined) return;
  const known = [...action.uses, ...ALWAYS].map(flagOf).join(", ");
  throw usage(
    `\`lab admin ${action.noun} ${action.verb}\` has no use for ${flagOf(foreign)}`,
    `it takes ${known}`,
  );
}

/**
 * @param words after `lab admin`
 * @returns the action and its arguments; the verb of a noun that lists may be left out
 * @throws EngineError CLI_USAGE
 */
export function findAction(
  words: readonly string[],
  options: AdminOptionValues,
): { readonly action: AdminAction; readonly args: readonly string[] } {
  const found = lookUp(words);
  checkArgs(found.action, found.args);
  checkOptions(found.action, options);
  return found;
}
