/**
 * One remoting command as a value (remoting-protocol 1.2–1.5). No socket, no bytes of the frame.
 */

/** Serialize type of a frame's header: 0 JSON, 1 the ROCKETMQ binary header. */
export const SERIALIZE_JSON = 0;
export const SERIALIZE_ROCKETMQ = 1;
export type SerializeType = typeof SERIALIZE_JSON | typeof SERIALIZE_ROCKETMQ;

/** Header parameters by wire name. A Map, so that `__proto__` is plain data (F-10). */
export type ExtFields = ReadonlyMap<string, string>;

/** Bit 0 of `flag`: this frame is a response. */
export const FLAG_RESPONSE = 1;
/** Bit 1 of `flag`: nobody waits for a response. */
export const FLAG_ONEWAY = 2;

/** The version ordinal of 4.9.0, announced in every frame (1.3). */
export const VERSION_4_9_0 = 393;

/** Language codes of 1.3. */
export const LANGUAGE_JAVA = 0;
export const LANGUAGE_CPP = 1;

/** A request or response frame, decoded. */
export interface RemotingCommand {
  readonly code: number;
  /** Language code of 1.3, or -1 when the peer sent a name or number we do not know. */
  readonly language: number;
  readonly version: number;
  readonly opaque: number;
  readonly flag: number;
  readonly remark: string | null;
  readonly extFields: ExtFields;
  /** Body bytes, or null when empty. Owned by the command: safe to keep after the call that delivered it. */
  readonly body: Buffer | null;
  readonly serializeType: SerializeType;
}

/** What a processor answers; opaque, flag and serialize type are filled in from the request. */
export interface ResponseCommand {
  readonly code: number;
  readonly remark?: string | null;
  readonly extFields?: ExtFields;
  readonly body?: Buffer | null;
}

/** What a caller sends; opaque, flag, language and version are filled in by the connection. */
export interface RequestCommand {
  readonly code: number;
  readonly extFields?: ExtFields;
  readonly body?: Buffer | null;
}

/** @returns true when the sender does not wait for an answer */
export function isOneway(command: RemotingCommand): boolean {
  return (command.flag & FLAG_ONEWAY) !== 0;
}
