/** Heartbeats: they make this client's groups known to the brokers it uses (remoting-protocol 4.4, 5.1). */
import type { Logger } from "../base/logger.ts";
import { encodeHeartbeat, type HeartbeatBody } from "../remoting/bodies/heartbeat.ts";
import { HEART_BEAT, UNREGISTER_CLIENT } from "../remoting/commands/clients.ts";
import type { RemotingClient } from "../remoting/server-api.ts";
import { invokeOk } from "./request.ts";

const TIMEOUT_MS = 3_000;

/** What heartbeats are made of. */
export interface HeartbeatParts {
  readonly remoting: RemotingClient;
  readonly logger: Logger;
  /** What this client is now. */
  readonly body: () => HeartbeatBody;
  /** Addresses to be known to. */
  readonly targets: () => readonly string[];
}

/**
 * Sends heartbeats and remembers which brokers know us. A broker forgets a client when its connection closes, so a lost connection makes its
 * address unknown again.
 */
export class Heartbeats {
  private readonly parts: HeartbeatParts;
  private readonly knownAt = new Set<string>();
  private readonly under = new Map<string, Promise<void>>();

  constructor(parts: HeartbeatParts) {
    this.parts = parts;
  }

  /** Beats every target, known or not; failures are logged. */
  async beatAll(): Promise<void> {
    await this.beatEach(this.parts.targets());
  }

  /** Beats the targets that do not know us yet (a new broker, or one that came back). */
  async beatMissing(): Promise<void> {
    await this.beatEach(this.parts.targets().filter((address) => !this.knownAt.has(address)));
  }

  /**
   * Makes sure a broker knows our groups before it is asked to serve them.
   * @throws RefusedError or EngineError REMOTING_* when it cannot be told
   */
  async ensure(address: string): Promise<void> {
    if (this.knownAt.has(address)) return;
    const running = this.under.get(address);
    if (running !== undefined) return running;
    const beat = this.beat(address).finally(() => this.under.delete(address));
    this.under.set(address, beat);
    await beat;
  }

  /** The broker has forgotten us. */
  forget(address: string): void {
    this.knownAt.delete(address);
  }

  /** Takes a group back at every broker that knows it (4.4.2); brokers that do not answer find out when the connection closes. */
  async unregister(group: {
    readonly producer?: string;
    readonly consumer?: string;
  }): Promise<void> {
    const header = {
      clientID: this.parts.body().clientId,
      producerGroup: group.producer,
      consumerGroup: group.consumer,
    };
    const { remoting } = this.parts;
    const calls = [...this.knownAt].map((address) =>
      invokeOk(remoting, { address, spec: UNREGISTER_CLIENT, header, timeoutMs: TIMEOUT_MS }),
    );
    await Promise.allSettled(calls);
  }

  private async beatEach(addresses: readonly string[]): Promise<void> {
    const beats = addresses.map(async (address) => {
      try {
        await this.beat(address);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.parts.logger.debug("heartbeat failed", { address, reason });
      }
    });
    await Promise.all(beats);
  }

  private async beat(address: string): Promise<void> {
    const body = this.parts.body();
    if (body.producers.length === 0 && body.consumers.length === 0) return;
    await invokeOk(this.parts.remoting, {
      address,
      spec: HEART_BEAT,
      header: {},
      body: encodeHeartbeat(body),
      timeoutMs: TIMEOUT_MS,
    });
    this.knownAt.add(address);
  }
}
