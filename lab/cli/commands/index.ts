import type { Command } from "../define-command.ts";
import { benchCommand } from "./bench.ts";
import { destroyCommand } from "./destroy.ts";
import { downCommand } from "./down.ts";
import { killCommand } from "./kill.ts";
import { logsCommand } from "./logs.ts";
import { pauseCommand, unpauseCommand } from "./pause.ts";
import { presetsCommand } from "./presets.ts";
import { restartCommand } from "./restart.ts";
import { startCommand } from "./start.ts";
import { statusCommand } from "./status.ts";
import { stopCommand } from "./stop.ts";
import { upCommand } from "./up.ts";

/** Every command, most used first: the order of `lab help`. */
export const COMMANDS: readonly Command[] = [
  upCommand,
  statusCommand,
  killCommand,
  startCommand,
  stopCommand,
  restartCommand,
  pauseCommand,
  unpauseCommand,
  logsCommand,
  benchCommand,
  downCommand,
  destroyCommand,
  presetsCommand,
];
