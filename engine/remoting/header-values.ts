import type { ExtFields } from "./command.ts";

/** What a header says, whatever its serialization. */
export interface HeaderValues {
  readonly code: number;
  readonly language: number;
  readonly version: number;
  readonly opaque: number;
  readonly flag: number;
  readonly remark: string | null;
  /** Null leaves the member out, as Java does for a command without a header object. */
  readonly extFields: ExtFields | null;
}

/** A header as received. */
export interface DecodedHeader extends HeaderValues {
  readonly extFields: ExtFields;
  /** Why the request must be refused with code 1 although its frame is sound; null when it is fine. */
  readonly problem: string | null;
}
