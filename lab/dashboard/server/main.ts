import { serve } from "@hono/node-server";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { EngineError } from "../../../engine/base/engine-error.ts";
import { createLogger } from "../../../engine/base/logger.ts";
import { createAdminClient } from "../../../engine/admin/index.ts";
import { createApp } from "./app.ts";
import { Collector } from "./collector.ts";
import { parseSettings, type DashboardSettings } from "./settings.ts";
import { loadStaticFiles } from "./static-files.ts";

/** A broker that answers later than this counts as silent in that round. */
const REQUEST_TIMEOUT_MS = 900;
const EXIT_BAD_CONFIG = 2;
const EXIT_BUG = 70;

const logger = createLogger("dashboard");

function listen(settings: DashboardSettings): void {
  const namesrvAddrs = settings.nodes
    .filter((node) => node.role === "namesrv")
    .map((node) => node.address);
  const admin = createAdminClient({ namesrvAddrs, timeoutMs: REQUEST_TIMEOUT_MS });
  const collector = new Collector({ settings, admin, logger });
  const files = loadStaticFiles(join(dirname(fileURLToPath(import.meta.url)), "web"));
  if (files.size === 0) logger.warn("the page is not built: only /api answers; run npm run build");
  const own = settings.nodes
    .filter((node) => node.role === "dashboard")
    .map((node) => node.node.toLowerCase());
  const local = ["localhost", "127.0.0.1", "[::1]", "rocketmq-dashboard"];
  const hosts = new Set([...local, ...own, ...settings.names]);
  const app = createApp({ collector, files, hosts });
  const server = serve(
    { fetch: app.fetch, port: settings.port, hostname: settings.bindAddress },
    (info) => {
      logger.info("The dashboard boot success", {
        address: `${settings.bindAddress}:${info.port}`,
      });
    },
  );
  server.on("error", (error) => {
    logger.error("cannot listen", { reason: error.message });
    process.exitCode = EXIT_BAD_CONFIG;
    collector.stop();
    admin.close();
  });
  collector.start();
  const stop = (): void => {
    collector.stop();
    admin.close();
    server.close();
    if ("closeAllConnections" in server) server.closeAllConnections();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

try {
  listen(parseSettings(process.env["LAB_DASHBOARD"]));
} catch (error) {
  const known = error instanceof EngineError;
  process.stderr.write(
    known ? `${error.code}: ${error.message}\n${error.hint ?? ""}\n` : `${String(error)}\n`,
  );
  process.exitCode = known ? EXIT_BAD_CONFIG : EXIT_BUG;
}
