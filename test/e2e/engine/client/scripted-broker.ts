/**
 * A broker that does what a test says: a real remoting server, registered at a real name server over a connection of its own, so that both
 * notice its death as in life.
 */
import { silentLogger } from "../../../../engine/base/logger.ts";
import { encodeRegisterBroker } from "../../../../engine/remoting/bodies/register-broker.ts";
import { createRemotingClient } from "../../../../engine/remoting/client.ts";
import { encodeHeader } from "../../../../engine/remoting/command-spec.ts";
import { REGISTER_BROKER } from "../../../../engine/remoting/commands/name-server.ts";
import type { RemotingCommand } from "../../../../engine/remoting/command.ts";
import type { Processor, RequestContext } from "../../../../engine/remoting/processor.ts";
import { REQUEST_CODE } from "../../../../engine/remoting/request-codes.ts";
import type { RemotingClient, RemotingServer } from "../../../../engine/remoting/server-api.ts";
import { createRemotingServer } from "../../../../engine/remoting/server.ts";

export interface ScriptedBrokerOptions {
  readonly namesrvAddr: string;
  readonly brokerName: string;
  readonly brokerId?: number;
  readonly topics: readonly string[];
  /** Codes it serves besides heartbeats and unregistrations. */
  readonly processors: ReadonlyMap<number, Processor>;
}

/** @returns the answer of a stored send at this offset */
export function stored(code: number, queueOffset: number, queueId = 0) {
  return {
    code,
    extFields: new Map([
      ["MSG_REGION", "DefaultRegion"],
      ["TRACE_ON", "true"],
      ["msgId", "7F00000100002A9F0000000000000A00"],
      ["queueId", String(queueId)],
      ["queueOffset", String(queueOffset)],
    ]),
  };
}

export class ScriptedBroker implements AsyncDisposable {
  readonly received: RemotingCommand[] = [];
  address = "";
  private readonly options: ScriptedBrokerOptions;
  private server: RemotingServer | undefined;
  private registrar: RemotingClient | undefined;
  private port = 0;

  private constructor(options: ScriptedBrokerOptions) {
    this.options = options;
  }

  static async start(options: ScriptedBrokerOptions): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(options);
    await broker.start();
    return broker;
  }

  /** Begins to serve and registers; after `kill` on the same port. */
  async start(): Promise<void> {
    this.server = createRemotingServer({
      name: this.options.brokerName,
      host: "127.0.0.1",
      port: this.port,
      logger: silentLogger,
      table: { processors: this.processors() },
    });
    this.port = await this.server.start();
    this.address = `127.0.0.1:${this.port}`;
    this.registrar = createRemotingClient({ logger: silentLogger });
    await this.register();
  }

  /** Requests of one code, in the order they came. */
  requests(code: number): RemotingCommand[] {
    return this.received.filter((request) => request.code === code);
  }

  /** Every connection breaks at once, as when the process dies. */
  async kill(): Promise<void> {
    this.registrar?.close();
    await this.server?.stop(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  private processors(): ReadonlyMap<number, Processor> {
    const ok: Processor = () => ({ code: 0 });
    const all = new Map([
      [REQUEST_CODE.HEART_BEAT, ok],
      [REQUEST_CODE.UNREGISTER_CLIENT, ok],
      ...this.options.processors,
    ]);
    const recorded = [...all].map(([code, processor]) => {
      const record = (request: RemotingCommand, context: RequestContext) => {
        this.received.push(request);
        return processor(request, context);
      };
      return [code, record] as const;
    });
    return new Map(recorded);
  }

  private async register(): Promise<void> {
    const { namesrvAddr, brokerName, brokerId, topics } = this.options;
    const extFields = encodeHeader(REGISTER_BROKER.request, {
      brokerName,
      brokerAddr: this.address,
      clusterName: "DefaultCluster",
      brokerId: brokerId ?? 0,
      haServerAddr: "127.0.0.1:1",
    });
    const body = encodeRegisterBroker({
      table: {
        dataVersion: { counter: 1, timestamp: Date.now() },
        topics: topics.map((topicName) => ({
          topicName,
          readQueueNums: 2,
          writeQueueNums: 2,
          perm: topicName === "TBW102" ? 7 : 6,
          topicFilterType: "SINGLE_TAG",
          topicSysFlag: 0,
          order: false,
        })),
      },
      filterServerList: [],
    });
    const request = { code: REGISTER_BROKER.code, extFields, body };
    const answer = await this.registrar?.invoke(namesrvAddr, request, 3_000);
    if (answer?.code !== 0)
      throw new Error(`registration refused: ${answer?.code} ${answer?.remark}`);
  }
}
