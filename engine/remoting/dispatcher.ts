import { EngineError } from "../base/engine-error.ts";
import type { Logger } from "../base/logger.ts";
import type { Connection } from "./connection.ts";
import {
  FLAG_ONEWAY,
  FLAG_RESPONSE,
  type RemotingCommand,
  type ResponseCommand,
} from "./command.ts";
import { decodeHeaderBytes } from "./header.ts";
import { peekCode } from "./header-scan.ts";
import type { FrameView, Processor, ProcessorTable } from "./processor.ts";
import { RESPONSE_CODE } from "./response-codes.ts";

/** Responses nobody waits for that one connection may send a minute (F-14). */
const UNKNOWN_RESPONSES_MAX = 1_000;

/** Decides who serves a frame; knows no request itself. One a server or client. */
export class Dispatcher {
  private readonly table: ProcessorTable;
  private readonly logger: Logger;
  private readonly unknownResponses = new WeakMap<Connection, { count: number; sinceMs: number }>();

  /** @param table who serves which code */
  constructor(table: ProcessorTable, logger: Logger) {
    this.table = table;
    this.logger = logger;
  }

  /** Serves one frame. @throws EngineError REMOTING_FRAME_INVALID when the connection must be closed */
  dispatch(frame: FrameView, connection: Connection): void {
    const fast = this.table.frameProcessors;
    if (fast !== undefined) {
      const processor = fast.get(peekCode(frame));
      if (processor !== undefined && processor(frame, connection)) return;
    }
    const header = decodeHeaderBytes(
      frame.buffer.subarray(frame.headerStart, frame.bodyStart),
      frame.serializeType,
    );
    const hasBody = frame.end > frame.bodyStart;
    const command: RemotingCommand = {
      code: header.code,
      language: header.language,
      version: header.version,
      opaque: header.opaque,
      flag: header.flag,
      remark: header.remark,
      extFields: header.extFields,
      // The read buffer is reused: what outlives this call is copied.
      body: hasBody ? Buffer.from(frame.buffer.subarray(frame.bodyStart, frame.end)) : null,
      serializeType: frame.serializeType,
    };
    if ((command.flag & FLAG_RESPONSE) !== 0) this.handleResponse(command, connection);
    else this.handleRequest(command, header.problem, connection);
  }

  private handleResponse(response: RemotingCommand, connection: Connection): void {
    if (connection.invocations.complete(response)) return;
    const now = performance.now();
    const seen = this.unknownResponses.get(connection) ?? { count: 0, sinceMs: now };
    if (now - seen.sinceMs > 60_000) {
      seen.count = 0;
      seen.sinceMs = now;
    }
    seen.count += 1;
    this.unknownResponses.set(connection, seen);
    if (seen.count > UNKNOWN_RESPONSES_MAX)
      connection.close("too many responses nobody asked for (F-14)");
  }

  private handleRequest(
    request: RemotingCommand,
    problem: string | null,
    connection: Connection,
  ): void {
    const answer = (response: ResponseCommand): void => {
      if ((request.flag & FLAG_ONEWAY) === 0)
        connection.respond(request.opaque, request.serializeType, response);
    };
    const processor = this.table.processors.get(request.code);
    if (problem !== null) answer({ code: RESPONSE_CODE.SYSTEM_ERROR, remark: problem });
    else if (processor === undefined) {
      answer({
        code: RESPONSE_CODE.REQUEST_CODE_NOT_SUPPORTED,
        remark: ` request type ${request.code} not supported`,
      });
    } else this.run(processor, request, { connection, answer });
  }

  private run(
    processor: Processor,
    request: RemotingCommand,
    to: { readonly connection: Connection; readonly answer: (response: ResponseCommand) => void },
  ): void {
    const fail = (error: unknown): void =>
      to.answer({ code: RESPONSE_CODE.SYSTEM_ERROR, remark: this.remarkOf(error, request) });
    try {
      const result = processor(request, { channel: to.connection, receivedAtMs: Date.now() });
      if (result === null) return;
      if (!(result instanceof Promise)) {
        to.answer(result);
        return;
      }
      result.then((response) => {
        if (response !== null) to.answer(response);
      }, fail);
    } catch (error) {
      fail(error);
    }
  }

  /** F-34: an error raised on purpose explains itself; anything else is a bug: logged with its stack, answered without. */
  private remarkOf(error: unknown, request: RemotingCommand): string {
    if (error instanceof EngineError && error.code !== "ASSERT_FAILED") return error.message;
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.logger.error("a processor failed", { code: request.code, stack });
    return `internal error while serving request type ${request.code}`;
  }
}
