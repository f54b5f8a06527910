/** Apache's unmodified name server and broker 4.9.0 with our clients on them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { Cleanup } from "../helpers/cleanup.ts";
import { freeBrokerPort } from "../helpers/engine-process.ts";
import { startApacheBroker, startApacheNamesrv } from "./apache.ts";
import { OwnClients, POLL } from "./own-clients.ts";

const version = "4.9.0";

/** See the file's head. */
export class ApacheStage extends OwnClients implements AsyncDisposable {
  readonly home: string;

  private constructor(
    at: { readonly home: string; readonly namesrv: string; readonly broker: string },
    cleanup: Cleanup,
  ) {
    super(at, cleanup, { trustRefusals: false });
    this.home = at.home;
  }

  /** @param own properties of the broker besides small files and short delay levels */
  static async start(own: Readonly<Record<string, string | number>> = {}): Promise<ApacheStage> {
    const cleanup = new Cleanup();
    const home = mkdtempSync(join(tmpdir(), "lab-apache-stage-"));
    cleanup.defer(() => rmSync(home, { recursive: true, force: true }));
    const [namesrvPort, listenPort] = [await freeBrokerPort(), await freeBrokerPort()];
    const at = { home, namesrv: `127.0.0.1:${namesrvPort}`, broker: `127.0.0.1:${listenPort}` };
    const server = { listenPort: namesrvPort };
    const names = { version, home: join(home, "namesrv"), properties: server } as const;
    cleanup.use(await startApacheNamesrv(names));
    const properties = {
      brokerName: "broker-a",
      brokerClusterName: "DefaultCluster",
      namesrvAddr: at.namesrv,
      listenPort,
      mappedFileSizeCommitLog: 16 * 1_048_576,
      maxHashSlotNum: 1_000,
      maxIndexNum: 4_000,
      messageDelayLevel: "1s 1s 1s 1s 1s",
      ...own,
    };
    const broker = { version, home: join(home, "broker"), properties } as const;
    cleanup.use(await startApacheBroker(broker));
    const stage = new ApacheStage(at, cleanup);
    const isRouted = async (): Promise<boolean> =>
      (await stage.admin.clusterInfo(at.namesrv)).brokers.length === 1;
    await vi.waitUntil(isRouted, POLL);
    return stage;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanup[Symbol.asyncDispose]();
  }
}
