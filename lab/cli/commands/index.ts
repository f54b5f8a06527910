import type { Command } from "../define-command.ts";
import { adminCommand } from "./admin.ts";
import { benchCommand } from "./bench.ts";
import { completionCommand } from "./completion.ts";
import { configCommand } from "./config.ts";
import { destroyCommand } from "./destroy.ts";
import { doctorCommand } from "./doctor.ts";
import { downCommand } from "./down.ts";
import { endpointsCommand } from "./endpoints.ts";
import { envCommand } from "./env.ts";
import { exportCommand } from "./export.ts";
import { faultCommand } from "./fault.ts";
import { firewallCommand } from "./firewall.ts";
import { healCommand } from "./heal.ts";
import { hostCommand } from "./host.ts";
import { initCommand } from "./init.ts";
import { killCommand } from "./kill.ts";
import { logsCommand } from "./logs.ts";
import { mqadminCommand } from "./mqadmin.ts";
import { pauseCommand, unpauseCommand } from "./pause.ts";
import { presetsCommand } from "./presets.ts";
import { promoteCommand } from "./promote.ts";
import { resetCommand } from "./reset.ts";
import { restartCommand } from "./restart.ts";
import { restoreCommand } from "./restore.ts";
import { runCommand } from "./run.ts";
import { schemaCommand } from "./schema.ts";
import { showCommand } from "./show.ts";
import { snapshotCommand } from "./snapshot.ts";
import { startCommand } from "./start.ts";
import { statusCommand } from "./status.ts";
import { stopCommand } from "./stop.ts";
import { upCommand } from "./up.ts";
import { waitCommand } from "./wait.ts";

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
  hostCommand,
  faultCommand,
  firewallCommand,
  healCommand,
  promoteCommand,
  restoreCommand,
  logsCommand,
  benchCommand,
  adminCommand,
  mqadminCommand,
  snapshotCommand,
  resetCommand,
  downCommand,
  destroyCommand,
  waitCommand,
  envCommand,
  endpointsCommand,
  runCommand,
  configCommand,
  presetsCommand,
  showCommand,
  initCommand,
  exportCommand,
  doctorCommand,
  completionCommand,
  schemaCommand,
];
