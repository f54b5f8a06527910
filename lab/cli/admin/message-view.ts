/** A message as `lab admin messages` shows it. */
import type { ReceivedMessage } from "../../../engine/client/index.ts";
import { instant } from "./when.ts";

/** What the client library keeps for itself; shown as members of their own, or of no use to a reader. */
const OWN_PROPERTIES = new Set([
  "UNIQ_KEY",
  "WAIT",
  "TAGS",
  "KEYS",
  "CLUSTER",
  "MSG_REGION",
  "TRACE_ON",
]);
const SNIPPET = 60;
const decoder = new TextDecoder("utf8", { fatal: true });
// oxlint-disable-next-line no-control-regex -- what a terminal would act on
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

function textOf(body: Buffer): string | null {
  try {
    const text = decoder.decode(body);
    return UNPRINTABLE.test(text) ? null : text;
  } catch {
    return null;
  }
}

/** @param brokerName whose it is; a message found by id knows only the address it came from */
export function messageView(message: ReceivedMessage, brokerName = message.brokerName) {
  const body = textOf(message.body);
  return {
    msgId: message.msgId,
    offsetMsgId: message.offsetMsgId,
    topic: message.topic,
    broker: brokerName,
    queue: message.queueId,
    offset: message.queueOffset,
    tag: message.tags ?? null,
    keys: [...message.keys],
    properties: Object.fromEntries(
      [...message.properties].filter(([name]) => !OWN_PROPERTIES.has(name)),
    ),
    born: instant(message.bornTimestamp),
    stored: instant(message.storeTimestamp),
    reconsumeTimes: message.reconsumeTimes,
    bodyBytes: message.body.length,
    /** Null when it is no text. */
    body,
    bodyBase64: body === null ? message.body.toString("base64") : null,
  };
}

export type MessageView = ReturnType<typeof messageView>;

/** @returns the body on one line, cut */
function snippet(view: MessageView): string {
  const text = view.body?.replaceAll(/\s+/g, " ") ?? `${view.bodyBytes} bytes, no text`;
  return text.length > SNIPPET ? `${text.slice(0, SNIPPET - 1)}…` : text;
}

export const MESSAGE_HEADER = ["STORED", "BROKER", "QUEUE", "OFFSET", "TAG", "KEYS", "BODY"];

/** @returns cells under MESSAGE_HEADER */
export function messageRow(view: MessageView): readonly string[] {
  const place = [view.broker, String(view.queue), String(view.offset)];
  return [view.stored ?? "-", ...place, view.tag ?? "-", view.keys.join(" ") || "-", snippet(view)];
}

/** @returns everything of one message, a line a member, then the body */
export function messageText(view: MessageView): string {
  const { body, bodyBase64, properties, ...members } = view;
  const lines = Object.entries({ ...members, ...properties }).map(([name, value]) => {
    const text = Array.isArray(value) ? value.join(" ") : String(value ?? "-");
    return `${name.padEnd(16)}${text === "" ? "-" : text}`;
  });
  return [...lines, "", body ?? `base64: ${bodyBase64 ?? ""}`].join("\n");
}
