/** Plays the recorded set against one server and keeps what came of each request. */
import type { Case } from "./cases.ts";
import {
  Exchange,
  type AnswerBack,
  type Heard,
  type Outcome,
  type WireRequest,
} from "./exchange.ts";

const SILENCE_MS = 3_000;
const QUIET_MS = 2_000;

/** What one server did. */
export interface Played {
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** What it asked the client in the meantime. */
  readonly asked: readonly Heard[];
}

function fillIn(text: string, outcomes: ReadonlyMap<string, Outcome>): string {
  return text.replace(/^\{(id|phy|at) (.+)\}$/, (_whole, kind: string, name: string) => {
    const outcome = outcomes.get(name);
    if (outcome === undefined || typeof outcome === "string") return `no answer to ${name}`;
    const id = outcome.ext.get("msgId") ?? "";
    if (kind === "at") return outcome.ext.get("queueOffset") ?? "";
    return kind === "id" ? id : String(Number.parseInt(id.slice(-16), 16));
  });
}

function filledIn(request: Case, outcomes: ReadonlyMap<string, Outcome>): WireRequest {
  if (request.ext === undefined) return request;
  const ext = Object.entries(request.ext).map(([name, value]) => [
    name,
    typeof value === "string" ? fillIn(value, outcomes) : value,
  ]);
  return { ...request, ext: Object.fromEntries(ext) as NonNullable<WireRequest["ext"]> };
}

async function askAlone(address: string, request: WireRequest, ms: number): Promise<Outcome> {
  using connection = await Exchange.open(address);
  return await connection.ask(request, ms);
}

/**
 * One request after the other; those that may stay unanswered are not waited for until the end.
 * @param address `127.0.0.1:port`
 */
export async function play(
  address: string,
  cases: readonly Case[],
  answerBack: AnswerBack = () => null,
): Promise<Played> {
  const [host = "", port = ""] = address.split(":");
  using main = await Exchange.open(address, answerBack);
  const outcomes = new Map<string, Outcome>();
  const later: Promise<void>[] = [];
  for (const item of cases) {
    const request = filledIn(item, outcomes);
    const where = item.fast === true ? `${host}:${Number(port) - 2}` : address;
    const isAlone = item.alone === true || item.fast === true;
    const patienceMs = item.patienceMs ?? (item.quiet === true ? QUIET_MS : SILENCE_MS);
    const answer = isAlone ? askAlone(where, request, patienceMs) : main.ask(request, patienceMs);
    const kept = answer.then((outcome) => void outcomes.set(item.name, outcome));
    if (item.quiet === true) later.push(kept);
    else await kept;
  }
  await Promise.all(later);
  return { outcomes, asked: main.asked };
}
