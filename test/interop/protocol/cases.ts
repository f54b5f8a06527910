/** Requests as data, and the rules that make many bad ones from one good one. Nothing here is random: the same list at every run. */
import type { WireRequest } from "./exchange.ts";

/** A request of the recorded set. Text values may hold `{id NAME}`, `{phy NAME}` and
 * `{at NAME}`: message id, log offset and queue offset that an earlier case's answer told. */
export interface Case extends WireRequest {
  readonly name: string;
  /** No answer is a possible outcome: it is not waited for before the next request goes out. */
  readonly quiet?: true;
  /** How long it may take until no answer counts as none; default QUIET_MS or SILENCE_MS of play.ts. */
  readonly patienceMs?: number;
  /** On a connection of its own, which may be closed. */
  readonly alone?: true;
  /** On the fast port (listenPort - 2). */
  readonly fast?: true;
}

type Ext = Readonly<Record<string, string | number | boolean>>;

/** What `variants` may not make of a template: names as they stand in the case's name, for example `without topic`. */
export interface VariantRules {
  readonly not?: readonly string[];
}

const UNKNOWN_NAME = "DiffUnknown";
const ILLEGAL_NAME = "Diff bad!name";
const LONG_NAME = "L".repeat(300);
const NAME_FIELD = /topic$|group$/i;

function named(base: Case, suffix: string, changes: Partial<WireRequest>): Case {
  return { ...base, name: `${base.name} ${suffix}`, ...changes };
}

function withField(base: Case, field: string, value: string | number): Case {
  const shown = String(value).length > 40 ? "too long" : String(value);
  return named(base, `${field}=${shown}`, { ext: { ...base.ext, [field]: value } });
}

function withoutField(base: Case, field: string): Case {
  const rest = Object.entries(base.ext ?? {}).filter(([name]) => name !== field);
  return named(base, `without ${field}`, { ext: Object.fromEntries(rest) });
}

function badValues(field: string, value: Ext[string]): (string | number)[] {
  if (typeof value === "number") return ["abc", -1, "99999999999999999999"];
  if (typeof value === "boolean") return ["maybe"];
  return NAME_FIELD.test(field) ? [UNKNOWN_NAME, ILLEGAL_NAME, LONG_NAME, ""] : [""];
}

function bodyVariants(base: Case): Case[] {
  if (base.body === undefined) return [];
  const bodies: [string, string][] = [["empty body", ""]];
  if (typeof base.body === "string" && base.body.startsWith("{")) {
    bodies.push(["cut body", base.body.slice(0, base.body.length / 2)]);
    bodies.push(["body []", "[]"], ["body {}", "{}"], ["body null", "null"]);
  }
  return bodies.map(([suffix, body]) => named(base, suffix, { body }));
}

/**
 * The template itself, with the binary header, without any header field, without each field, with wrong values in each field,
 * and with broken bodies.
 */
export function variants(base: Case, rules: VariantRules = {}): Case[] {
  const made: Case[] = [base, named(base, "binary", { binary: true })];
  const fields = Object.entries(base.ext ?? {});
  if (fields.length > 0) made.push(named(base, "no ext", { ext: undefined }));
  for (const [field, value] of fields) {
    made.push(withoutField(base, field));
    for (const bad of badValues(field, value)) made.push(withField(base, field, bad));
  }
  made.push(...bodyVariants(base));
  return made.filter((item) => !(rules.not ?? []).some((end) => item.name.endsWith(end)));
}
