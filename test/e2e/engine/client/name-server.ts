/** The real name server, in this process, on a free port. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../../../engine/base/logger.ts";
import { nodeVfs } from "../../../../engine/base/node-vfs.ts";
import { parseProperties } from "../../../../engine/base/properties-file.ts";
import { loadNamesrvConfig } from "../../../../engine/namesrv/namesrv-config.ts";
import { startNamesrv } from "../../../../engine/namesrv/namesrv.ts";

export interface TestNameServer extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly address: string;
}

/** @param port 0: a free one */
export async function startNameServer(port = 0): Promise<TestNameServer> {
  const home = mkdtempSync(join(tmpdir(), "lab-client-ns-"));
  const text = `listenPort=${port}\nbindAddress=127.0.0.1\n`;
  const entries = parseProperties(text, "test.properties");
  const source = { name: "test.properties", entries };
  const { config } = loadNamesrvConfig([source], { home, rocketmqHome: "" });
  const running = await startNamesrv({ config, vfs: nodeVfs, logger: silentLogger });
  return {
    address: `127.0.0.1:${running.port}`,
    [Symbol.asyncDispose]: async () => {
      await running[Symbol.asyncDispose]();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
