/**
 * Body of a bench message, big endian; the rest is filler.
 *   0        8          12         16
 *   ├────────┼──────────┼──────────┼────────
 *   │ run id │ producer │ sequence │ filler …
 * Run id: random, tells this run's messages from what was in the topic before.
 */
import { randomBytes } from "node:crypto";

const PRODUCER_AT = 8;
const SEQUENCE_AT = 12;
const HEADER_BYTES = 16;
const RUN_ID_BYTES = 8;

/** Which message of a run a body is. */
export interface BodyId {
  readonly producer: number;
  readonly sequence: number;
}

/** Makes and recognises the bodies of one run. */
export class BodyFactory {
  private readonly template: Buffer;

  /** @param sizeBytes of a body, at least 16 */
  constructor(sizeBytes: number) {
    this.template = Buffer.alloc(sizeBytes);
    // Filler that compresses about as well as text does: random letters.
    const filler = randomBytes(Math.max(0, sizeBytes - HEADER_BYTES));
    for (let i = 0; i < filler.length; i += 1) {
      this.template[HEADER_BYTES + i] = 97 + ((filler[i] ?? 0) % 26);
    }
    randomBytes(RUN_ID_BYTES).copy(this.template);
  }

  /** The run's id as text. */
  get runId(): string {
    return this.template.toString("hex", 0, RUN_ID_BYTES);
  }

  /** @returns a new body; the client may keep it */
  make(producer: number, sequence: number): Buffer {
    const body = Buffer.allocUnsafe(this.template.length);
    this.template.copy(body);
    body.writeUInt32BE(producer, PRODUCER_AT);
    body.writeUInt32BE(sequence, SEQUENCE_AT);
    return body;
  }

  /** @returns which message it is, or null when it is none of this run */
  read(body: Buffer): BodyId | null {
    const isOurs =
      body.length >= HEADER_BYTES &&
      body.compare(this.template, 0, RUN_ID_BYTES, 0, RUN_ID_BYTES) === 0;
    if (!isOurs) return null;
    return { producer: body.readUInt32BE(PRODUCER_AT), sequence: body.readUInt32BE(SEQUENCE_AT) };
  }
}
