import type { Channel } from "./channel.ts";
import type { RemotingCommand, ResponseCommand, SerializeType } from "./command.ts";

/** What a processor knows of a request besides the request. */
export interface RequestContext {
  readonly channel: Channel;
  /** Wall clock, ms, when the frame was complete. */
  readonly receivedAtMs: number;
}

/**
 * Answers one request code. It knows no socket.
 * Returns the response, or null when there is none yet (held) or none at all (one-way); a rejected promise or an
 * exception becomes code 1 with the message of the error (F-34), never a stack.
 */
export type Processor = (
  request: RemotingCommand,
  context: RequestContext,
) => ResponseCommand | null | Promise<ResponseCommand | null>;

/** A whole frame where it lies in the read buffer. Valid only during the call it was passed to. */
export interface FrameView {
  readonly buffer: Buffer;
  /** Positions in `buffer`. The header is [headerStart, bodyStart), the body [bodyStart, end). */
  readonly headerStart: number;
  readonly bodyStart: number;
  readonly end: number;
  readonly serializeType: SerializeType;
}

/**
 * Serves a request straight from the read buffer (engine-performance 1.4), for the codes on the message path.
 * Returns false when it does not fully recognise the header; the frame then takes the general path.
 * It must have no effect when it returns false.
 */
export type FrameProcessor = (frame: FrameView, channel: Channel) => boolean;

/** A server's request codes. Codes not in either table are answered 3 (F-11). */
export interface ProcessorTable {
  readonly processors: ReadonlyMap<number, Processor>;
  readonly frameProcessors?: ReadonlyMap<number, FrameProcessor>;
}
