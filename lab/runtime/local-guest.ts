/** A program of the user's own beside a lab of local processes: an ordinary child with NAMESRV_ADDR set. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { EngineError } from "../../engine/base/engine-error.ts";
import type { GuestCommand } from "./runtime.ts";

/** As a shell says it. */
const EXIT = { NOT_EXECUTABLE: 126, NOT_FOUND: 127, SIGNAL: 128 } as const;
/** After SIGTERM the guest may clean up this long. */
const STOP_MS = 5_000;

function cannotStart(guest: GuestCommand, error: NodeJS.ErrnoException): number {
  const [program = ""] = guest.command;
  guest.onStderr(Buffer.from(`lab: ${program}: ${error.message}\n`));
  return error.code === "ENOENT" ? EXIT.NOT_FOUND : EXIT.NOT_EXECUTABLE;
}

function refuseImage(guest: GuestCommand): void {
  if (guest.image === undefined) return;
  throw new EngineError("CLI_USAGE", {
    message: "this lab runs local processes, so there is no image to choose",
    hint: "leave --image out: the program runs on this machine",
  });
}

/**
 * Runs the guest to its end.
 * @param namesrvAddr for its NAMESRV_ADDR
 * @returns its exit code, 128 + signal, 127 when there is no such program
 */
export function runLocalGuest(guest: GuestCommand, namesrvAddr: string): Promise<number> {
  refuseImage(guest);
  const [program = "", ...args] = guest.command;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      env: { ...process.env, NAMESRV_ADDR: namesrvAddr, ...guest.environment },
      cwd: guest.directory ?? process.cwd(),
      stdio: [guest.stdin === null ? "ignore" : "pipe", "pipe", "pipe"],
    });
    let hardStop: NodeJS.Timeout | undefined;
    const stop = (): void => {
      child.kill("SIGTERM");
      hardStop = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    };
    const finish = (code: number): void => {
      clearTimeout(hardStop);
      guest.signal.removeEventListener("abort", stop);
      if (child.stdin !== null) guest.stdin?.unpipe(child.stdin);
      guest.stdin?.pause();
      resolve(code);
    };
    child.stdout?.on("data", guest.onStdout);
    child.stderr?.on("data", guest.onStderr);
    if (child.stdin !== null) {
      // A guest may end without reading all it is given.
      child.stdin.on("error", () => undefined);
      guest.stdin?.pipe(child.stdin);
    }
    child.once("error", (error) => finish(cannotStart(guest, error)));
    child.once("close", (code, signal) =>
      finish(code ?? EXIT.SIGNAL + (signal === null ? 0 : constants.signals[signal])),
    );
    if (guest.signal.aborted) stop();
    else guest.signal.addEventListener("abort", stop, { once: true });
  });
}
