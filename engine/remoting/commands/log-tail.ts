/** Requests of our own (codes from 30001): a peer that does not know them answers nothing or 3, and is treated as a 4.9 peer (DESIGN 5). */
import { opt, req, type CommandSpec } from "../command-spec.ts";
import { REQUEST_CODE } from "../request-codes.ts";

/** Where a broker's commit log begins and ends, and a checksum over a part of it, so that two brokers can compare (H-09). */
export const GET_LOG_POSITION = {
  code: REQUEST_CODE.GET_LOG_POSITION,
  name: "GET_LOG_POSITION",
  request: {
    /** First and one past the last physical offset of the part to compare; at most LOG_COMPARE_BYTES_MAX. */
    compareFrom: req("i64"),
    compareTo: req("i64"),
  },
  response: {
    minOffset: req("i64"),
    endOffset: req("i64"),
    fileSize: req("i64"),
    /** CRC-32 of the part; absent when the log does not hold all of it. */
    compareCrc: opt("i64"),
  },
} as const satisfies CommandSpec;

/** Raw bytes of the commit log; the body is empty past its end and never crosses the end of a file. */
export const READ_LOG = {
  code: REQUEST_CODE.READ_LOG,
  name: "READ_LOG",
  request: { offset: req("i64"), bytesMax: req("i32") },
  response: {},
} as const satisfies CommandSpec;
