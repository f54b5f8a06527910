/** The admin library: what other folders may import of it. */
import type { AdminClient, AdminOptions } from "./admin-api.ts";
import { RemotingAdminClient } from "./admin-client.ts";

export type * from "./admin-api.ts";

/**
 * @param options name servers, tried in order where one is enough
 * @returns a client; nothing is connected yet
 */
export function createAdminClient(options: AdminOptions): AdminClient {
  return new RemotingAdminClient(options);
}
