/**
 * Tidying up on request: CLEAN_EXPIRED_CONSUMEQUEUE (306), CLEAN_UNUSED_TOPIC (316), DELETE_EXPIRED_COMMITLOG (329) (admin-protocol B.1).
 * Each leaves a line in the log.
 */
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext } from "../broker-context.ts";
import { isKeptWithoutConfig } from "../names.ts";

function maintenance(context: BrokerContext, what: string, run: () => void): Processor {
  return (_request, { channel }) => {
    context.logger.info(`${what}, asked by an administrator`, { by: channel.remote });
    run();
    return { code: RESPONSE_CODE.SUCCESS };
  };
}

/** @returns the processor for code 306 */
export function createCleanQueuesProcessor(context: BrokerContext): Processor {
  return maintenance(context, "expired consume queue files are removed", () =>
    context.store.maintenance.deleteExpiredQueueFiles(),
  );
}

/** @returns the processor for code 316: queues of topics nobody has configured any more go, with their messages */
export function createCleanTopicsProcessor(context: BrokerContext): Processor {
  return maintenance(context, "queues of unused topics are removed", () => {
    const { maintenance: store } = context.store;
    const unused = store
      .topics()
      .filter(
        (topic) => context.topics.get(topic) === undefined && !isKeptWithoutConfig(topic.text),
      );
    for (const topic of unused) store.deleteTopic(topic);
  });
}

/** @returns the processor for code 329 */
export function createDeleteExpiredProcessor(context: BrokerContext): Processor {
  return maintenance(context, "expired commit log files are removed", () =>
    context.store.maintenance.deleteExpiredFiles(),
  );
}
