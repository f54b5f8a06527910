import type { SharedClient } from "../mq-client.ts";
import { MessageProducer } from "../producer/send.ts";
import { TraceDispatcher, traceGroup } from "./trace-dispatcher.ts";

const SEND_TIMEOUT_MS = 5_000;

/**
 * @param where option `trace` of a producer or consumer
 * @param owner whose messages are told of
 * @returns a dispatcher with a producer of its own; undefined when nothing is to be traced
 */
export function createTrace(
  client: SharedClient,
  where: boolean | string | undefined,
  owner: { readonly group: string; readonly role: "PRODUCE" | "CONSUME" },
): TraceDispatcher | undefined {
  if (where === undefined || where === false) return undefined;
  const group = traceGroup(owner.group, owner.role);
  const sink = new MessageProducer(client, { group, sendTimeoutMs: SEND_TIMEOUT_MS });
  return new TraceDispatcher(sink, where, client.logger);
}
