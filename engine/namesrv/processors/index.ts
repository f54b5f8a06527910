import type { ProcessorTable } from "../../remoting/processor.ts";
import type { NamesrvContext, ProcessorFamily } from "../namesrv-context.ts";
import { brokerPresence } from "./broker-presence.ts";
import { configuration } from "./configuration.ts";
import { kvRequests } from "./kv.ts";
import { registerBroker } from "./register-broker.ts";
import { routes } from "./routes.ts";
import { topicChanges } from "./topic-changes.ts";
import { topicLists } from "./topic-lists.ts";

const FAMILIES: readonly ProcessorFamily[] = [
  registerBroker,
  brokerPresence,
  routes,
  topicLists,
  topicChanges,
  kvRequests,
  configuration,
];

/** @returns every request code the name server serves (remoting-protocol 3 and 8) */
export function namesrvProcessors(context: NamesrvContext): ProcessorTable {
  return { processors: new Map(FAMILIES.flatMap((family) => family(context))) };
}
