/**
 * Up and down again and again: what is left after each round, and how the times develop.
 *
 *   npm run build && npm run bench:updown -- [repeats=50] [preset=2m-2s-sync] [runtimes=process,docker]
 *
 * Docker: on an engine of its own (root on Linux), so that every container, network, volume, packet filter rule, interface and process counts. Each
 * round is up, down, up, destroy. Exit 1 when anything is left that was not there before the first round.
 */
import { existsSync, readdirSync } from "node:fs";
import { LabHome } from "../helpers/lab-home.ts";
import { PrivateEngine } from "../helpers/private-engine.ts";
import { quantile } from "./statistics.ts";

const options = new Map(process.argv.slice(2).map((arg) => arg.split("=", 2) as [string, string]));
const repeats = Number(options.get("repeats") ?? "50");
const preset = options.get("preset") ?? "2m-2s-sync";
const runtimes = (options.get("runtimes") ?? "process,docker").split(",");

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Where labs are made, and what is there now. */
interface Place extends AsyncDisposable {
  run(
    ...args: readonly string[]
  ): Promise<{ readonly code: number | null; readonly stderr: string }>;
  everything(): Promise<readonly string[]>;
}

async function localPlace(): Promise<Place> {
  const home = await LabHome.create();
  return {
    run: (...args) => home.run(...args),
    everything: () => {
      const files = existsSync(home.home) ? readdirSync(home.home, { recursive: true }) : [];
      const lines = [...home.livePids().map((pid) => `process ${pid}`), ...files.map(String)];
      return Promise.resolve(lines);
    },
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

/** @returns seconds until ready, in order */
async function rounds(place: Place, runtime: string): Promise<readonly number[]> {
  const seconds: number[] = [];
  const lab = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await place.run(...args);
    if (code !== 0) throw new Error(`lab ${args.join(" ")} exited ${code}:\n${stderr}`);
  };
  // The first one may make an image, which stays.
  await lab("up", preset, "--runtime", runtime);
  await lab("destroy", "--yes");
  const before = await place.everything();
  for (let round = 1; round <= repeats; round += 1) {
    const begun = performance.now();
    await lab("up", preset, "--runtime", runtime);
    seconds.push((performance.now() - begun) / 1_000);
    await lab("down");
    await lab("up");
    await lab("destroy", "--yes");
    const now = await place.everything();
    const left = now.filter((line) => !before.includes(line));
    const lost = before.filter((line) => !now.includes(line));
    if (left.length + lost.length > 0) {
      throw new Error(`round ${round} left ${left.join(", ")}; took away ${lost.join(", ")}`);
    }
    if (round % 10 === 0 || round === repeats) say(`${runtime}: ${round} rounds, nothing left`);
  }
  return seconds;
}

for (const runtime of runtimes) {
  await using place = runtime === "docker" ? await PrivateEngine.start() : await localPlace();
  const seconds = await rounds(place, runtime);
  const half = Math.ceil(seconds.length / 2);
  const median = (list: readonly number[]): string => quantile([...list], 0.5).toFixed(2);
  say(
    `${runtime}: ${repeats} x up, down, up, destroy of ${preset}; ready after ${median(seconds)} s (median; first half ${median(seconds.slice(0, half))}, second half ${median(seconds.slice(half))})`,
  );
}
