/** What the lab asks of the program it runs inside a node's network namespace, and what that program answers. */
import { z } from "zod";

/** One thing to do; done in order. `@198.51.100.34` in an argument stands for the interface that has this address. */
export type AgentOp =
  | { readonly op: "run"; readonly argv: readonly string[] }
  | { readonly op: "connect"; readonly host: string; readonly port: number }
  | {
      readonly op: "ask";
      readonly host: string;
      readonly port: number;
      readonly role: "namesrv" | "broker";
    }
  | { readonly op: "burst"; readonly host: string; readonly count: number }
  | { readonly op: "pour"; readonly host: string; readonly device: string };

/** How a connection attempt ended. */
export type ConnectOutcome = "connected" | "refused" | "blocked" | "unreachable";

const resultSchema = z.object({
  /** Exit code of `run`; 0 for the others unless they could not be done. */
  code: z.int(),
  /** Output of `run`, outcome of `connect`, or the reason of a failure. */
  text: z.string(),
  /** `ask`: milliseconds of a round trip; `burst`: datagrams sent; `pour`: bits a second. */
  value: z.number().nullable(),
});

export type AgentResult = z.infer<typeof resultSchema>;

/** The one line the program prints at its end. */
export const answerSchema = z.object({
  agent: z.literal("lab.agent/1"),
  results: z.array(resultSchema),
});

/** One connection the relay takes: what comes to `listen` goes to `host:port`. */
export interface RelayRoute {
  readonly listen: number;
  readonly host: string;
  readonly port: number;
}

/** What `wipe` is to remove: all of a folder but for some entries. */
export interface WipeRequest {
  readonly folder: string;
  readonly keep: readonly string[];
}

/** What `disk` is to do on the disk a folder lies on. */
export interface DiskRequest {
  readonly folder: string;
  readonly act: "fill" | "empty" | "look" | "await-readonly";
  /** `fill`: bytes that stay free. */
  readonly leaveBytes: number;
}

export const diskAnswerSchema = z.object({
  totalBytes: z.number(),
  freeBytes: z.number(),
  /** How an attempt to write a little ended: `written`, or the code of the error. */
  write: z.string(),
});

/** What a disk is like after that. */
export type DiskAnswer = z.infer<typeof diskAnswerSchema>;

/** What the relay says once it listens. */
export const RELAY_READY = "relay ready";

/** User the relay runs as: its own connections are known by it and not redirected again. */
export const RELAY_USER = 10_002;
