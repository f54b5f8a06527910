/** Apache's Java or Go client as one long-lived program that is told what to do, line by line (LabFeatures.java, go/main.go). */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runChild, startChild, type LineChild } from "../helpers/child.ts";
import { startJava } from "./apache.ts";
import { deliveries, sends, type ReceiveEvent, type SendEvent } from "./json-events.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const COMMAND_MS = 60_000;
const START_MS = 60_000;

/** What a command came to. */
export interface CommandAnswer {
  /** Sends it made, in order. */
  readonly sends: readonly SendEvent[];
  readonly list: readonly string[];
  readonly number: number;
  /** Of a request-reply. */
  readonly reply: string;
}

interface EndEvent {
  readonly event: "done" | "failed";
  readonly "number-of-command": string;
  readonly message?: string;
  readonly list?: readonly string[];
  readonly number?: number;
  readonly reply?: string;
}

type Values = Readonly<Record<string, string | number | boolean>>;

function words(values: Values): string[] {
  return Object.entries(values).map(([name, value]) => `${name}=${String(value)}`);
}

let goBuild: Promise<string> | undefined;

/** Builds the Go program once a process. @returns its path */
function goProgram(): Promise<string> {
  goBuild ??= (async () => {
    const target = join(HERE, ".cache", "gopeer");
    mkdirSync(dirname(target), { recursive: true });
    const options = { timeoutMs: 240_000, cwd: join(HERE, "go") };
    const { code, output } = await runChild("go", ["build", "-o", target, "."], options);
    if (code !== 0)
      throw new Error(`go could not build the test program:\n${output.slice(-2_000)}`);
    return target;
  })();
  return goBuild;
}

function isEnd(line: string): boolean {
  return /"event":"(done|failed)"/.test(line);
}

export class FeatureClient implements AsyncDisposable {
  readonly language: "java" | "go";
  private readonly child: LineChild;
  private commands = 0;

  private constructor(language: "java" | "go", child: LineChild) {
    this.language = language;
    this.child = child;
  }

  /** @param home folder in which Java keeps its local offsets @param values hold for all commands */
  static async java(home: string, values: Values): Promise<FeatureClient> {
    const options = { version: "4.9.0", home } as const;
    return FeatureClient.started("java", await startJava("LabFeatures", options, words(values)));
  }

  /** @param home Go's home directory: local offsets and module cache lie below the real one */
  static async go(home: string, values: Values): Promise<FeatureClient> {
    const program = await goProgram();
    return FeatureClient.started("go", startChild(program, words(values), { env: { HOME: home } }));
  }

  private static async started(language: "java" | "go", child: LineChild): Promise<FeatureClient> {
    await child.waitForLine((line) => line.includes('"started"'), START_MS);
    return new FeatureClient(language, child);
  }

  /** Runs one command to its end. @throws Error with the client's own words when it failed */
  async ask(command: string, values: Values = {}): Promise<CommandAnswer> {
    this.commands += 1;
    const number = String(this.commands);
    this.child.write(`${[number, command, ...words(values)].join("\t")}\n`);
    const isOwn = (line: string): boolean =>
      isEnd(line) && line.includes(`"number-of-command":"${number}"`);
    const last = await this.child.waitForLine(isOwn, COMMAND_MS);
    const end = JSON.parse(last) as EndEvent;
    if (end.event === "failed") throw new Error(`${command} failed: ${end.message}`);
    // Commands run one after another: what was printed since the end of the one before is this one's.
    const { lines } = this.child;
    const at = lines.indexOf(last);
    const from = lines.slice(0, at).findLastIndex(isEnd) + 1;
    return {
      sends: sends(lines.slice(from, at)),
      list: end.list ?? [],
      number: end.number ?? 0,
      reply: end.reply ?? "",
    };
  }

  /** @returns what a consumer got so far, in order */
  received(id: string): ReceiveEvent[] {
    return deliveries(this.child.lines).filter((event) => event.consumer === id);
  }

  /** Resolves when a consumer has what is wanted. */
  async until(id: string, holds: (events: readonly ReceiveEvent[]) => boolean): Promise<void> {
    await this.child.waitUntil(() => holds(this.received(id)), COMMAND_MS);
  }

  /** Resolves when a consumer got that many distinct keys. @returns all it got */
  async untilKeys(id: string, count: number): Promise<ReceiveEvent[]> {
    await this.until(id, (events) => new Set(events.map(({ key }) => key)).size >= count);
    return this.received(id);
  }

  /** Lines of any kind so far. */
  get lines(): readonly string[] {
    return this.child.lines;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]();
  }
}
