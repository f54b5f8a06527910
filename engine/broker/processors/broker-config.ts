/** GET_BROKER_CONFIG (26) (admin-protocol C.2). UPDATE_BROKER_CONFIG (25) is refused: nothing can be changed at run time yet (D-15, R-31). */
import { writeFastjson } from "../../base/fastjson.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import { configEntries } from "../broker-config.ts";
import type { BrokerContext } from "../broker-context.ts";

/** @returns the processor for code 26: effective values, corrections made at start included */
export function createBrokerConfigProcessor(context: BrokerContext): Processor {
  const version = writeFastjson({ counter: 0, timestamp: context.bootTimestamp });
  return () => {
    const lines = configEntries(context.config).map(([key, value]) => `${key}=${value}\n`);
    return {
      code: RESPONSE_CODE.SUCCESS,
      extFields: new Map([["version", version]]),
      body: Buffer.from(lines.join(""), "utf8"),
    };
  };
}

/** @returns the processor for code 25: refuses all and applies nothing */
export function createUpdateBrokerConfigProcessor(): Processor {
  return () => ({
    code: RESPONSE_CODE.NO_PERMISSION,
    remark:
      "no setting of this broker can be changed while it runs; edit its property file and restart it",
  });
}
