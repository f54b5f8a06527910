/** Our name server and one broker of ours as processes below one temporary folder: what a foreign client is let loose on. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cleanup } from "../helpers/cleanup.ts";
import {
  startBrokerProcess,
  startNamesrvProcess,
  type EngineProcess,
} from "../helpers/engine-process.ts";

type Properties = Readonly<Record<string, string>>;

/** What the two are told besides their defaults. */
export interface ServerProperties {
  readonly both?: Properties;
  readonly broker?: Readonly<Record<string, string | number>>;
}

/** See the file's head. */
export class OwnServers implements AsyncDisposable {
  readonly home: string;
  readonly namesrv: string;
  readonly broker: EngineProcess;
  private readonly cleanup: Cleanup;

  private constructor(home: string, namesrv: string, broker: EngineProcess, cleanup: Cleanup) {
    this.home = home;
    this.namesrv = namesrv;
    this.broker = broker;
    this.cleanup = cleanup;
  }

  /** @param properties for the folder they will run in, where files they name can be written first */
  static async start(
    properties: (home: string) => ServerProperties = () => ({}),
  ): Promise<OwnServers> {
    const cleanup = new Cleanup();
    const home = mkdtempSync(join(tmpdir(), "lab-own-servers-"));
    cleanup.defer(() => rmSync(home, { recursive: true, force: true }));
    const { both = {}, broker = {} } = properties(home);
    const server = await startNamesrvProcess(join(home, "namesrv"), undefined, both);
    const namesrvAddr = cleanup.use(server).address;
    const own = { ...both, brokerName: "broker-a", namesrvAddr, ...broker };
    const started = cleanup.use(await startBrokerProcess(join(home, "broker-a"), own));
    return new OwnServers(home, namesrvAddr, started, cleanup);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanup[Symbol.asyncDispose]();
  }
}
