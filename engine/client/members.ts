import type { ConsumerBody } from "../remoting/bodies/heartbeat.ts";
import type { QueueMap } from "../remoting/bodies/message-queue.ts";
import type { RemotingCommand, ResponseCommand } from "../remoting/command.ts";
import type { ReceivedMessage } from "./client-api.ts";
import type { TransactionState } from "./producer-api.ts";

/** What a client knows of each producer made on it. */
export interface ProducerMember {
  readonly group: string;
  /** Code 39: what became of a transaction of this group; `unknown` is not sent. */
  checkTransaction(message: ReceivedMessage): Promise<TransactionState>;
  close(): Promise<void>;
}

/** What a client asks of each consumer made on it, on its own or a broker's behalf (remoting-protocol 4.10). */
export interface ConsumerMember {
  readonly group: string;
  /** Its part of the heartbeat. */
  heartbeat(): ConsumerBody;
  /** A route it may use has changed. */
  routeChanged(topic: string): void;
  /** Code 40: the members of the group are others now. */
  membersChanged(): void;
  /** Code 220: go on from these offsets. */
  resetOffsets(topic: string, offsets: QueueMap<number>): Promise<void>;
  /** Code 221. */
  progress(topic: string): QueueMap<number>;
  /** Code 307: the answer's body. */
  runningInfo(): Buffer;
  /** Code 309: hands one record to the listener now. */
  consumeDirectly(request: RemotingCommand): Promise<ResponseCommand>;
  close(): Promise<void>;
}
