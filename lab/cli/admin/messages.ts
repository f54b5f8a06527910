/** `lab admin messages`: look at one, find some, watch the end of a topic, send. */
import { EngineError } from "../../../engine/base/engine-error.ts";
import {
  createProducer,
  type Message,
  type ReceivedMessage,
  type SendResult,
} from "../../../engine/client/index.ts";
import { EXIT } from "../exit-codes.ts";
import { table } from "../output.ts";
import type { AdminAction, AdminCall, AdminOptionValues, AdminResult } from "./action.ts";
import { inTurn } from "./in-turn.ts";
import { MESSAGE_HEADER, messageRow, messageText, messageView } from "./message-view.ts";
import { tailTopic } from "./tail.ts";
import { parseWhen } from "./when.ts";

const COUNT = 10;
const PRODUCER_GROUP = "LAB_ADMIN_PRODUCER";
/** Both kinds of id: 32 digits, 56 with an IPv6 address. */
const MESSAGE_ID = /^[0-9A-F]{32}$|^[0-9A-F]{56}$/i;

function noMessage(id: string, hint: string): EngineError {
  return new EngineError("ADMIN_NOT_FOUND", { message: `no broker has message ${id}`, hint });
}

/** Every broker name is asked: the address inside an id may be one only its own network reaches. */
async function byOffsetId(call: AdminCall, id: string) {
  const { place } = call;
  const found = await inTurn(place.oneOfEach(), async ({ address, brokerName }) => {
    const message = await place.admin.viewMessage(id, address).catch((error: unknown) => {
      if (error instanceof EngineError) return null;
      throw error;
    });
    const isIt = message?.offsetMsgId.toUpperCase() === id.toUpperCase();
    return isIt ? [messageView(message, brokerName)] : [];
  });
  return found.flat()[0];
}

async function byUniqueId(call: AdminCall, id: string, topic: string) {
  await call.place.route(topic);
  const found = await call.place.admin.queryMessages({ topic, key: id });
  return found.map((message) => messageView(message))[0];
}

async function show(call: AdminCall): Promise<AdminResult> {
  const [id = ""] = call.args;
  const { topic } = call.options;
  if (!MESSAGE_ID.test(id)) {
    throw new EngineError("CLI_USAGE", {
      message: `"${id}" is no message id: 32 hexadecimal digits, 56 with an IPv6 address`,
      hint: "`lab admin messages find --topic TOPIC --key KEY` finds by key",
    });
  }
  const unique = topic === undefined ? undefined : await byUniqueId(call, id.toUpperCase(), topic);
  const message = unique ?? (await byOffsetId(call, id));
  if (message === undefined) {
    throw noMessage(
      id,
      topic === undefined
        ? "an id that the producer made is found only with --topic TOPIC"
        : "it may be deleted already, or the index may not reach it yet",
    );
  }
  return { data: { message }, text: messageText(message) };
}

function listed(topic: string, messages: readonly ReceivedMessage[], none: string): AdminResult {
  const views = messages.map((message) => messageView(message));
  return {
    data: { topic, messages: views },
    text: views.length === 0 ? none : table(MESSAGE_HEADER, views.map(messageRow)),
  };
}

async function find(call: AdminCall): Promise<AdminResult> {
  const { place, options } = call;
  const { topic = "", key = "", since, until } = options;
  await place.route(topic);
  const count = options.count ?? COUNT;
  const messages = await place.admin.queryMessages({
    topic,
    key,
    messagesMax: count,
    ...(since === undefined ? {} : { beginTimestampMs: parseWhen(since, "--since") }),
    ...(until === undefined ? {} : { endTimestampMs: parseWhen(until, "--until") }),
  });
  return listed(topic, messages.slice(-count), `no message of ${topic} has key ${key}`);
}

async function tail(call: AdminCall): Promise<AdminResult> {
  const { place, options, context } = call;
  const { topic = "", follow } = options;
  if (follow && context.json) {
    throw new EngineError("CLI_USAGE", {
      message: "--follow never ends and --json is one document",
      hint: "leave one of the two out",
    });
  }
  const end = await tailTopic(place, topic, options.count ?? COUNT);
  const none = `${topic} holds no message`;
  if (!follow) return listed(topic, end.messages, none);
  const { stdout } = context.io;
  const print = (messages: readonly ReceivedMessage[]): void => {
    for (const message of messages)
      stdout.write(`${messageRow(messageView(message)).join("  ")}\n`);
  };
  print(end.messages);
  await end.follow(context.signal, print);
  return { data: {}, text: "" };
}

function properties(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
      if (name !== undefined && value !== undefined) return [name, value];
      throw new EngineError("CLI_USAGE", {
        message: `--property "${text}" is not NAME=VALUE`,
        hint: "for example `--property region=eu`",
      });
    }),
  );
}

function messageOf(options: AdminOptionValues): Message {
  const { topic = "", body = "", tag, key, delay } = options;
  return {
    topic,
    body: Buffer.from(body, "utf8"),
    properties: properties(options.property),
    ...(tag === undefined ? {} : { tags: tag }),
    ...(key === undefined ? {} : { keys: key.split(" ") }),
    ...(delay === undefined ? {} : { delayLevel: delay }),
  };
}

function sentRow(result: SendResult) {
  const { status, msgId, offsetMsgId, queue, queueOffset } = result;
  const place = { broker: queue.brokerName, queue: queue.queueId, offset: queueOffset };
  return { status, msgId, offsetMsgId, ...place };
}

async function send(call: AdminCall): Promise<AdminResult> {
  const { place, options } = call;
  const message = messageOf(options);
  const producer = createProducer(place.messaging, { group: PRODUCER_GROUP });
  await producer.start();
  const sent: ReturnType<typeof sentRow>[] = [];
  for (let index = 0; index < (options.count ?? 1); index += 1)
    sent.push(sentRow(await producer.send(message, { timeoutMs: place.timeoutMs })));
  const rows = sent.map((row) => [
    row.status,
    row.broker,
    String(row.queue),
    String(row.offset),
    row.msgId,
  ]);
  return {
    data: { topic: message.topic, sent },
    text: table(["STATUS", "BROKER", "QUEUE", "OFFSET", "ID"], rows),
    // A weak acknowledgement is no success.
    exitCode: sent.every(({ status }) => status === "SEND_OK") ? EXIT.done : EXIT.notReady,
  };
}

export const MESSAGE_ACTIONS: readonly AdminAction[] = [
  {
    noun: "messages",
    verb: "show",
    summary: "one message, by the broker's id or, with --topic, the producer's",
    args: ["ID"],
    uses: ["topic"],
    needs: [],
    example: { command: "lab admin messages show 7F0000010000… --topic orders", what: "all of it" },
    run: show,
  },
  {
    noun: "messages",
    verb: "find",
    summary: "messages of a topic that carry a key",
    args: [],
    uses: ["topic", "key", "since", "until", "count"],
    needs: ["topic", "key"],
    example: { command: "lab admin messages find --topic orders --key 42", what: "by key" },
    run: find,
  },
  {
    noun: "messages",
    verb: "tail",
    summary: "the last messages of a topic; --follow goes on",
    args: [],
    uses: ["topic", "count", "follow"],
    needs: ["topic"],
    example: { command: "lab admin messages tail --topic orders -f", what: "watch a topic" },
    run: tail,
  },
  {
    noun: "messages",
    verb: "send",
    summary: "send one or more",
    args: [],
    uses: ["topic", "body", "tag", "key", "property", "delay", "count"],
    needs: ["topic", "body"],
    example: {
      command: 'lab admin messages send --topic orders --body "hello" --key 42',
      what: "one message",
    },
    run: send,
  },
];
