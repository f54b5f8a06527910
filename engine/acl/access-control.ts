/**
 * Decides who may have a request served (faults-and-security 8). It stands in front of a server's processors as a table of its own, so that
 * a server without access control does nothing at all for it.
 */
import { EngineError } from "../base/engine-error.ts";
import type { Logger } from "../base/logger.ts";
import type { Channel } from "../remoting/channel.ts";
import { isOneway, type RemotingCommand, type ResponseCommand } from "../remoting/command.ts";
import type {
  FrameProcessor,
  FrameView,
  Processor,
  ProcessorTable,
  RequestContext,
} from "../remoting/processor.ts";
import { REQUEST_CODE } from "../remoting/request-codes.ts";
import { RESPONSE_CODE } from "../remoting/response-codes.ts";
import type { AccessRule, AccessRules } from "./access-rule.ts";
import { RIGHT, groupResource, type AclAccount } from "./acl-account.ts";
import type { AclRules } from "./acl-document.ts";
import { auditArguments } from "./audit.ts";
import { Denials } from "./denials.ts";
import { FrameSignature } from "./frame-signature.ts";
import { ACCESS_KEY, isSignedWith } from "./request-signature.ts";

/** `strict` is ours; `compat` decides as 4.9 does, white lists that open everything included. */
export type AclMode = "strict" | "compat";

/** Delayed answers a server holds at once (E-06); a peer beyond that is disconnected. */
const DELAYED_MAX = 1_000;

/** What access control is made of. */
export interface AccessControlWiring {
  /** The rules in force; asked for each request, so that a reload counts at once. */
  readonly current: () => AclRules;
  readonly mode: AclMode;
  readonly rules: AccessRules;
  /** Access key of the account that brokers sign with; empty when only administrators may register. */
  readonly brokerAccessKey: string;
  readonly logger: Logger;
  /** Monotonic clock, ms. */
  readonly now: () => number;
}

/** `ask`: the list decides nothing, key and signature do. */
type ListVerdict = "allowed" | "refused" | "ask";

/** Who asks: an account, or a peer whose address needs none (compat only). */
type Caller = AclAccount | "white-listed";

/** Why nobody is believed. */
interface Refused {
  readonly refused: string;
}

const SEND_TOPIC = Buffer.from("topic", "latin1");
const PULL_GROUP = Buffer.from("consumerGroup", "latin1");
const TOPIC_LETTER = "b".charCodeAt(0) - 97;

/** One a server. */
export class AccessControl {
  private readonly wiring: AccessControlWiring;
  private readonly denials: Denials;
  private readonly audit: Logger;
  private readonly frames = new FrameSignature();
  private delayed = 0;

  constructor(wiring: AccessControlWiring) {
    this.wiring = wiring;
    this.denials = new Denials(wiring.logger, wiring.now);
    this.audit = wiring.logger.child("audit");
  }

  /** @returns the table with access control in front of every processor */
  guard(table: ProcessorTable): ProcessorTable {
    const processors = [...table.processors].map(
      ([code, processor]) => [code, this.guarded(processor)] as const,
    );
    const frames = [...(table.frameProcessors ?? [])].map(
      ([code, processor]) => [code, this.guardedFrames(processor)] as const,
    );
    return { processors: new Map(processors), frameProcessors: new Map(frames) };
  }

  private guardedFrames(processor: FrameProcessor): FrameProcessor {
    return (frame, channel) => this.admitsFrame(frame, channel) && processor(frame, channel);
  }

  private guarded(processor: Processor): Processor {
    return (request, context) => {
      const caller = this.identify(request, context.channel);
      if (typeof caller === "object" && "refused" in caller)
        return this.deny(request, context.channel, caller.refused);
      const rule = this.wiring.rules.get(request.code);
      const reason = this.objection(request, rule, caller);
      if (reason !== null) return this.deny(request, context.channel, reason);
      return rule?.kind === "admin"
        ? this.audited(request, context, processor)
        : processor(request, context);
    };
  }

  /** @returns who asks, or why nobody is believed */
  private identify(request: RemotingCommand, channel: Channel): Caller | Refused {
    const { accounts } = this.wiring.current();
    const address = channel.remoteAddress;
    const byGlobal = this.byGlobalList(address);
    if (byGlobal === "allowed") return "white-listed";
    if (byGlobal === "refused")
      return { refused: `The address ${address} is not in globalWhiteRemoteAddresses` };
    const accessKey = request.extFields.get(ACCESS_KEY);
    if (accessKey === undefined || accessKey === "")
      return { refused: "No accessKey is configured" };
    const account = accounts.get(accessKey);
    if (account === undefined) return { refused: `No acl config for ${accessKey}` };
    const byAccount = this.byList(account.addresses?.(address));
    if (byAccount === "allowed") return "white-listed";
    if (byAccount === "refused") {
      const list = `whiteRemoteAddress of accessKey=${accessKey}`;
      return { refused: `The address ${address} is not in ${list}` };
    }
    return isSignedWith(request.extFields, request.body, account.secret)
      ? account
      : { refused: `Check signature failed for accessKey=${accessKey}` };
  }

  private byGlobalList(address: string): ListVerdict {
    const { globalAddresses } = this.wiring.current();
    if (globalAddresses.length === 0) return "ask";
    return this.byList(globalAddresses.some((covers) => covers(address)));
  }

  /** What a white list says of an address; undefined = there is no list. E-03: it narrows; in 4.9 it opens. */
  private byList(isListed: boolean | undefined): ListVerdict {
    if (isListed === undefined) return "ask";
    if (this.wiring.mode === "compat") return isListed ? "allowed" : "ask";
    return isListed ? "ask" : "refused";
  }

  /** @returns why the caller may not, or null */
  private objection(
    request: RemotingCommand,
    rule: AccessRule | undefined,
    caller: Caller,
  ): string | null {
    if (rule === undefined) return `No access rule for request code=${request.code}`;
    if (caller === "white-listed" || rule.kind === "account") return null;
    const { accessKey, isAdmin } = caller;
    if (rule.kind === "rights") {
      const missing = rule.needs(request).find((need) => !caller.may(need.resource, need.right));
      return missing === undefined ? null : `No default permission for ${missing.resource}`;
    }
    if (isAdmin || (rule.kind === "peer" && accessKey === this.wiring.brokerAccessKey)) return null;
    return `Need admin permission for request code=${request.code}, but accessKey=${accessKey} is not`;
  }

  /** E-06: 16 and one sentence; late for a peer that keeps failing. */
  private deny(
    request: RemotingCommand,
    channel: Channel,
    reason: string,
  ): ResponseCommand | null | Promise<ResponseCommand | null> {
    const peer = channel.remoteAddress;
    const accessKey = request.extFields.get(ACCESS_KEY);
    const delayMs = this.denials.note({ peer, accessKey, code: request.code, reason });
    if (isOneway(request)) return null;
    const answer = { code: RESPONSE_CODE.NO_PERMISSION, remark: reason };
    if (delayMs === 0) return answer;
    if (this.delayed >= DELAYED_MAX) {
      channel.close("too many refused requests (E-06)");
      return null;
    }
    this.delayed += 1;
    return new Promise((resolve) => {
      setTimeout(() => {
        this.delayed -= 1;
        resolve(answer);
      }, delayMs).unref();
    });
  }

  /** E-08. */
  private audited(
    request: RemotingCommand,
    context: RequestContext,
    processor: Processor,
  ): ResponseCommand | null | Promise<ResponseCommand | null> {
    const note = (result: string): void =>
      this.audit.info("administration", {
        peer: context.channel.remote,
        key: request.extFields.get(ACCESS_KEY),
        code: request.code,
        arguments: auditArguments(request),
        result,
      });
    const noteAnswer = (answer: ResponseCommand | null): ResponseCommand | null => {
      note(answer === null ? "no answer" : String(answer.code));
      return answer;
    };
    const noteError = (error: unknown): never => {
      note(error instanceof EngineError ? error.code : "error");
      throw error;
    };
    try {
      const result = processor(request, context);
      return result instanceof Promise ? result.then(noteAnswer, noteError) : noteAnswer(result);
    } catch (error) {
      return noteError(error);
    }
  }

  /** @returns true when the request on the message path is surely allowed; anything else goes the general way, which answers */
  private admitsFrame(frame: FrameView, channel: Channel): boolean {
    const address = channel.remoteAddress;
    const byGlobal = this.byGlobalList(address);
    if (byGlobal !== "ask") return byGlobal === "allowed";
    const accessKey = this.frames.read(frame);
    const account = accessKey === null ? undefined : this.wiring.current().accounts.get(accessKey);
    if (account === undefined) return false;
    const byAccount = this.byList(account.addresses?.(address));
    if (byAccount !== "ask") return byAccount === "allowed";
    return this.mayFrame(account, frame.buffer) && this.frames.isSignedWith(account.secret, frame);
  }

  /** Rights of the three codes that are read in place: PUB on the topic, or SUB on topic and group. */
  private mayFrame(account: AclAccount, buffer: Buffer): boolean {
    const { header } = this.frames;
    const isV2 = header.code === REQUEST_CODE.SEND_MESSAGE_V2;
    const entry = isV2 ? (header.byLetter[TOPIC_LETTER] ?? -1) : header.find(SEND_TOPIC);
    const topic = this.frames.text(buffer, entry);
    if (topic === null) return false;
    if (header.code !== REQUEST_CODE.PULL_MESSAGE)
      return !topic.startsWith("%") && account.may(topic, RIGHT.PUB);
    const group = this.frames.text(buffer, header.find(PULL_GROUP));
    return (
      group !== null &&
      account.may(topic, RIGHT.SUB) &&
      account.may(groupResource(group), RIGHT.SUB)
    );
  }
}
