import type { Logger } from "../base/logger.ts";
import type { FileChain } from "./file-chain.ts";

/** How far ahead of the writer blocks are made real: a sync of prepared blocks has no metadata to write (engine-performance 2.2). */
const WINDOW_BYTES = 16 * 1024 * 1024;
/** A step starts once this much of the window is used up. */
const SLACK_BYTES = 2 * 1024 * 1024;
const STEP_BYTES = 256 * 1024;
/** One step in 4 ms is 64 MiB/s: commits do not feel it (engine-performance 2.2). */
const STEP_MS = 4;
const ZEROS = Buffer.alloc(STEP_BYTES);

/**
 * Writes zeros a window ahead of the log's end, in paced background steps, and makes the next file before it is needed
 * (store-and-ha 1.2: one all-zero file ahead is legal).
 */
export class SegmentPreparer {
  private readonly chain: FileChain;
  private readonly logger: Logger;
  private readonly windowBytes: number;
  private preparedEnd = 0;
  private writtenEnd = 0;
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(chain: FileChain, logger: Logger) {
    this.chain = chain;
    this.logger = logger;
    this.windowBytes = Math.min(WINDOW_BYTES, chain.fileSize);
  }

  /** @param written the log's end moved here */
  notice(written: number): void {
    this.writtenEnd = written;
    if (this.timer !== undefined || this.isStopped || this.chain.files.length === 0) return;
    const slack = Math.min(SLACK_BYTES, this.windowBytes / 2);
    if (this.preparedEnd - written < this.windowBytes - slack) this.schedule();
  }

  /** Nothing is prepared any more; unused files ahead are removed (1.2). */
  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  private schedule(): void {
    this.timer = setTimeout(() => this.step(), STEP_MS);
    this.timer.unref();
  }

  private step(): void {
    this.timer = undefined;
    // A writer that was faster needs no zeros behind it.
    const from = Math.max(this.preparedEnd, this.writtenEnd);
    const target = this.writtenEnd + this.windowBytes;
    if (this.isStopped || from >= target) return;
    try {
      this.preparedEnd = this.prepare(from, target);
    } catch (error) {
      // The writer meets the same disk and decides what it means (S-26); preparing goes on when it has moved.
      this.logger.warn("could not prepare the log ahead", { reason: String(error) });
      return;
    }
    this.schedule();
  }

  /** @returns the new prepared end */
  private prepare(from: number, target: number): number {
    if (from >= this.chain.end) {
      this.chain.create(this.chain.end);
      return from;
    }
    const file = this.chain.find(from);
    const fileEnd = file === undefined ? from : file.start + this.chain.fileSize;
    const length = Math.min(STEP_BYTES, target - from, fileEnd - from);
    if (length > 0) this.chain.write(ZEROS, 0, length, from);
    return from + length;
  }
}
