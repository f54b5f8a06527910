/** Asks the brokers of a topic, before a consumer starts, whether they can filter as it wants (remoting-protocol 4.4.5, 5.6). */
import { encodeCheckClient, type SubscriptionBody } from "../../remoting/bodies/heartbeat.ts";
import { CHECK_CLIENT_CONFIG } from "../../remoting/commands/clients.ts";
import type { SharedClient } from "../mq-client.ts";
import { invokeOk, RefusedError } from "../request.ts";

const TIMEOUT_MS = 3_000;

/**
 * Java's client asks one broker of each topic, chosen at random; this one asks every broker name, because brokers' settings can differ. A broker
 * that cannot be reached does not hold the start up: it says the same to every pull later.
 * @param subscriptions those by tags are not asked about
 * @throws RefusedError of the first broker that refuses
 */
export async function checkSelectors(
  client: SharedClient,
  group: string,
  subscriptions: Iterable<SubscriptionBody>,
): Promise<void> {
  const asked = [...subscriptions].filter(({ expressionType }) => expressionType !== "TAG");
  await Promise.all(asked.map((subscription) => checkSelector(client, group, subscription)));
}

async function checkSelector(
  client: SharedClient,
  group: string,
  subscription: SubscriptionBody,
): Promise<void> {
  const route = await client.route(subscription.topic).catch(() => null);
  const names = route?.brokers.map((broker) => broker.brokerName) ?? [];
  const body = encodeCheckClient({ clientId: client.clientId, group, subscription });
  const checks = names.map(async (brokerName) => {
    const address = client.routes.brokers.requireMasterOrAny(brokerName);
    const spec = CHECK_CLIENT_CONFIG;
    await invokeOk(client.remoting, { address, spec, header: {}, body, timeoutMs: TIMEOUT_MS });
  });
  for (const check of await Promise.allSettled(checks)) {
    if (check.status === "fulfilled") continue;
    const error: unknown = check.reason;
    if (error instanceof RefusedError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    client.logger.warn("a broker could not be asked whether it filters by SQL92", { reason });
  }
}
