/** Hand-made frames: odd and broken headers in both serialisations (remoting-protocol 1.1 to 1.5). Each goes over a connection of its own. */
import type { Case } from "./cases.ts";
import { RAW_OPAQUE } from "./exchange.ts";

function frame(type: number, header: Buffer, body = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + header.length + body.length, 0);
  head.writeUInt32BE(((type << 24) | header.length) >>> 0, 4);
  return Buffer.concat([head, header, body]);
}

/** Silence is what comes of some. One after the other: 4.9.0 loses answers when many connections come at once. */
function raw(name: string, bytes: Buffer): Case {
  return { name: `frame: ${name}`, code: 0, raw: bytes, alone: true, patienceMs: 1_500 };
}

/** A request for the largest offset of a queue, its JSON header changed as text. */
function json(name: string, change: (text: string) => string): Case {
  const text = `{"code":30,"extFields":{"queueId":"1","topic":"DiffA"},"flag":0,"language":"JAVA","opaque":${RAW_OPAQUE},"serializeTypeCurrentRPC":"JSON","version":393}`;
  return raw(name, frame(0, Buffer.from(change(text))));
}

function binaryHeader(entries: Buffer, remark = "", code = 30): Buffer {
  const bytes = Buffer.alloc(21 + Buffer.byteLength(remark));
  bytes.writeInt16BE(code, 0);
  bytes.writeInt16BE(393, 3);
  bytes.writeInt32BE(RAW_OPAQUE, 5);
  bytes.writeInt32BE(Buffer.byteLength(remark), 13);
  bytes.write(remark, 17);
  bytes.writeInt32BE(entries.length, bytes.length - 4);
  return Buffer.concat([bytes, entries]);
}

function entry(key: string, value: string): Buffer {
  const bytes = Buffer.alloc(6 + key.length + value.length);
  bytes.writeInt16BE(key.length, 0);
  bytes.write(key, 2);
  bytes.writeInt32BE(value.length, 2 + key.length);
  bytes.write(value, 6 + key.length);
  return bytes;
}

const ENTRIES = Buffer.concat([entry("topic", "DiffA"), entry("queueId", "1")]);

const JSON_FRAMES: readonly Case[] = [
  json("as Java writes it", (text) => text),
  json("white space", (text) => text.replaceAll(",", " ,\n ")),
  json("other order, unknown member", (text) => text.replace("{", '{"zzz":[1,{"a":2}],')),
  json("numbers as text", (text) => text.replace('"code":30', '"code":"30"')),
  json("opaque as text", (text) => text.replace(`${RAW_OPAQUE}`, `"${RAW_OPAQUE}"`)),
  json("number as ext value", (text) => text.replace('"queueId":"1"', '"queueId":1')),
  json("boolean as ext value", (text) => text.replace('"queueId":"1"', '"queueId":"1","x":true')),
  json("null as ext value", (text) => text.replace('"queueId":"1"', '"queueId":"1","x":null')),
  json("object as ext value", (text) => text.replace('"queueId":"1"', '"queueId":"1","x":{"a":1}')),
  json("ext fields are null", (text) => text.replace(/\{"queueId".*?\}/, "null")),
  json("ext fields are a list", (text) => text.replace(/\{"queueId".*?\}/, "[]")),
  json("ext fields are text", (text) => text.replace(/\{"queueId".*?\}/, '"x"')),
  json("language by ordinal", (text) => text.replace('"JAVA"', "9")),
  json("unknown language", (text) => text.replace('"JAVA"', '"KLINGON"')),
  json("without language", (text) => text.replace('"language":"JAVA",', "")),
  json("without version", (text) => text.replace(',"version":393', "")),
  json("without flag", (text) => text.replace('"flag":0,', "")),
  json("without code", (text) => text.replace('"code":30,', "")),
  json("with a remark", (text) => text.replace("{", '{"remark":"hello",')),
  json("empty remark", (text) => text.replace("{", '{"remark":"",')),
  json("code not a number", (text) => text.replace(":30", ':"abc"')),
  json("code a fraction", (text) => text.replace(":30", ":30.5")),
  json("code beyond 32 bits", (text) => text.replace(":30", ":30000000000")),
  json("opaque beyond 32 bits", (text) => text.replace(`${RAW_OPAQUE}`, "99999999999")),
  json("version beyond 32 bits", (text) => text.replace(":393", ":99999999999")),
  json("key twice", (text) => text.replace('"queueId":"1"', '"queueId":"1","queueId":"2"')),
  json("escaped characters", (text) => text.replace("DiffA", "\\u0044iffA")),
  json("single quotes", (text) => text.replaceAll('"', "'")),
  json("bare keys", (text) => text.replace(/"(\w+)":/g, "$1:")),
  json("trailing comma", (text) => text.replace(/\}$/, ",}")),
  json("cut off", (text) => text.slice(0, -20)),
  json("not JSON", () => "hello"),
  json("a list", () => "[1]"),
  json("empty object", () => "{}"),
  json("nothing", () => ""),
  json("a response nobody asked for", (text) => text.replace('"flag":0', '"flag":1')),
  json("one-way", (text) => text.replace('"flag":0', '"flag":2')),
  json("one-way response", (text) => text.replace('"flag":0', '"flag":3')),
  json("flag 4", (text) => text.replace('"flag":0', '"flag":4')),
  json("serialize type named wrongly", (text) => text.replace('"JSON"', '"ROCKETMQ"')),
  json("serialize type unknown", (text) => text.replace('"JSON"', '"XML"')),
];

const BINARY_FRAMES: readonly Case[] = [
  raw("binary", frame(1, binaryHeader(ENTRIES))),
  raw("binary with a remark", frame(1, binaryHeader(ENTRIES, "hello"))),
  raw("binary without ext", frame(1, binaryHeader(Buffer.alloc(0)))),
  raw("binary, key twice", frame(1, binaryHeader(Buffer.concat([ENTRIES, entry("queueId", "2")])))),
  raw("binary, empty value", frame(1, binaryHeader(Buffer.concat([ENTRIES, entry("x", "")])))),
  raw("binary, last entry cut", frame(1, binaryHeader(ENTRIES.subarray(0, -1)))),
  raw(
    "binary, entry longer than the header",
    frame(1, binaryHeader(Buffer.from("0005746f", "hex"))),
  ),
  raw("binary, 10 bytes", frame(1, Buffer.alloc(10))),
  raw("binary, unknown code", frame(1, binaryHeader(Buffer.alloc(0), "", 9_999))),
];

const LENGTHS: readonly Case[] = [
  raw("serialize type 2", frame(2, Buffer.from("{}"))),
  raw("length 0", Buffer.from("0000000000000000", "hex")),
  raw("negative length", Buffer.from("ffffffff00000002", "hex")),
  raw("longer than 16 MiB", Buffer.from("0100000100000002", "hex")),
  raw("header longer than the frame", Buffer.from("0000000600000064" + "7b7d", "hex")),
];

/** Every one on its own connection; the answer, when there is one, has RAW_OPAQUE. */
export const FRAME_CASES: readonly Case[] = [...JSON_FRAMES, ...BINARY_FRAMES, ...LENGTHS];
