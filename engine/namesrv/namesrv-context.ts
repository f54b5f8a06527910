import type { Logger } from "../base/logger.ts";
import type { Processor } from "../remoting/processor.ts";
import type { BrokerRegistry } from "./broker-registry.ts";
import type { KvConfig } from "./kv-config.ts";
import type { LiveConfig } from "./live-config.ts";

/** What every processor of the name server may use. Built by namesrv.ts only. */
export interface NamesrvContext {
  readonly registry: BrokerRegistry;
  readonly kv: KvConfig;
  readonly config: LiveConfig;
  readonly logger: Logger;
  /** Monotonic clock, ms. */
  readonly now: () => number;
}

/** Request codes of one file of processors/, made for one name server. */
export type ProcessorFamily = (
  context: NamesrvContext,
) => readonly (readonly [code: number, processor: Processor])[];
