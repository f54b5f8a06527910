import { EngineError } from "../base/engine-error.ts";

/** Who says to be, or is, the master (id 0) of a broker name. */
export interface MasterClaim {
  readonly address: string;
  /** Field `masterEpoch`; undefined from a 4.9 broker. */
  readonly masterEpoch: number | undefined;
  /** Field `storeId`: a random id kept in the store directory. */
  readonly storeId: string | undefined;
}

/**
 * H-12: two live addresses claim id 0 of one broker name. As long as neither carries `masterEpoch` this is 4.9: the last to register wins and
 * the two take turns. Otherwise (absent = 0) the higher epoch wins, and at equal epoch the one already live, unless the newcomer
 * carries the same storeId: the same broker at a new address.
 * @param brokerName both claim
 * @param live holds id 0 and is alive
 * @param newcomer asks for it
 * @throws EngineError NAMESRV_REQUEST_REFUSED with both addresses when the newcomer loses
 */
export function assertMayBeMaster(
  brokerName: string,
  live: MasterClaim,
  newcomer: MasterClaim,
): void {
  if (live.address === newcomer.address) return;
  if (live.masterEpoch === undefined && newcomer.masterEpoch === undefined) return;
  const [held, asked] = [live.masterEpoch ?? 0, newcomer.masterEpoch ?? 0];
  const isSameStore = live.storeId !== undefined && live.storeId === newcomer.storeId;
  if (asked > held || (asked === held && isSameStore)) return;
  throw new EngineError("NAMESRV_REQUEST_REFUSED", {
    message:
      `${brokerName} has a live master at ${live.address} (epoch ${held}); ` +
      `${newcomer.address} (epoch ${asked}) cannot take its place`,
    hint: "stop one of the two, or promote the new one so that its epoch rises",
  });
}
