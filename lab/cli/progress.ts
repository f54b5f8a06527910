/** Talk on standard error while long work goes on: live steps on a terminal, plain lines elsewhere, nothing with `-q`. */
import type { CliIo } from "./io.ts";

/** One sentence about where the work stands. */
export type Say = (message: string) => void;

export interface Progress {
  /** Runs one step of the work under a title. @returns what `work` returns; its error passes through */
  step<Result>(title: string, work: (say: Say) => Promise<Result>): Promise<Result>;
  /** A line that stays. */
  note(text: string): void;
}

const silent: Progress = {
  step: (_title, work) => work(() => undefined),
  note: () => undefined,
};

function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1_000).toFixed(1)} s`;
}

function plainProgress(io: CliIo): Progress {
  const begun = performance.now();
  const line = (text: string): void => io.stderr.write(`[${seconds(begun)}] ${text}\n`);
  return {
    note: line,
    async step(title, work) {
      line(title);
      let last = "";
      return work((message) => {
        if (message !== last) line(`  ${message}`);
        last = message;
      });
    },
  };
}

function terminalProgress(io: CliIo): Progress {
  return {
    note: (text) => io.stderr.write(`${text}\n`),
    async step(title, work) {
      // Loaded only where it is used: most commands never show a step.
      const { Listr, ListrLogger, ProcessOutput } = await import("listr2");
      const begun = performance.now();
      const holder: { result?: { value: Awaited<ReturnType<typeof work>> } } = {};
      const tasks = new Listr(
        [
          {
            title,
            task: async (_context, task) => {
              const value = await work((message) => {
                task.output = message;
              });
              holder.result = { value };
              task.title = `${title} (${seconds(begun)})`;
            },
          },
        ],
        {
          registerSignalListeners: false,
          rendererOptions: {
            showErrorMessage: false,
            logger: new ListrLogger({
              processOutput: new ProcessOutput(process.stderr, process.stderr),
            }),
          },
        },
      );
      await tasks.run();
      if (holder.result === undefined) throw new Error(`the step "${title}" gave no result`);
      return holder.result.value;
    },
  };
}

/**
 * @param io of the command
 * @param options quiet: say nothing; ansi: standard error may be redrawn
 */
export function createProgress(
  io: CliIo,
  options: { readonly quiet: boolean; readonly ansi: boolean },
): Progress {
  if (options.quiet) return silent;
  return options.ansi ? terminalProgress(io) : plainProgress(io);
}
