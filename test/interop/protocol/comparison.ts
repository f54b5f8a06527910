/** What two servers answered, brought to one form and compared. Times, ids, ports and free text do not count. */
import { JsonPairs, parseFastjson, type JsonValue } from "../../../engine/base/fastjson.ts";
import { recordsOf } from "../../helpers/broker-peer.ts";
import type { Heard, Outcome } from "./exchange.ts";

type Plain =
  | null
  | boolean
  | number
  | string
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** Numbers under these names are times, and depend on the clock. */
const TIME_NAME = /time|stamp/i;
/** What differs between two servers by nature, by member name. */
const OWN_NAME = /^(dataVersion|clientAddr|physicOffset|storeHost|bornHost|filterData|totalDiff)$/;
/** How far the broker's own check of transactions has come at this moment. */
const OWN_PROGRESS = /@CID_RMQ_SYS_TRANS$/;
/** Properties that hold ids. */
const OWN_PROPERTIES = new Set(["UNIQ_KEY", "ORIGIN_MESSAGE_ID"]);
const RATE_NAME = /tps$|^statsMinute$|^statsHour$|^statsDay$/i;
/** Second word of a stored record. */
const RECORD_MAGIC = 0xdaa320a7;
const SEND_CODES = new Set([10, 310, 320, 324, 325]);
const PROPERTY_CODES = new Set([26, 319]);
const MESSAGE_ID = /^[0-9A-F]{32}$/;
/** The id of a message whose store host is an IPv6 address. */
const MESSAGE_ID_V6 = /^[0-9A-F]{56}$/;

function time(value: number): string | number {
  return value > 1_000_000_000_000 ? "TIME" : value;
}

/** The delay offsets (45): how far each level is delivered is a matter of the moment, which levels there are is not. */
function isDelayTable(name: string, value: JsonValue): value is Map<string, JsonValue> {
  if (name !== "offsetTable" || !(value instanceof Map)) return false;
  return [...value.values()].every((offset) => typeof offset === "number");
}

function plainMember(name: string, value: JsonValue): Plain {
  if (OWN_NAME.test(name)) return "OWN";
  if (isDelayTable(name, value)) return [...value.keys()].toSorted();
  if (RATE_NAME.test(name)) return "RATE";
  if (name === "delayTime") return value === 0 ? 0 : "DELAY";
  if (TIME_NAME.test(name) && typeof value === "number") return time(value);
  if (TIME_NAME.test(name) && typeof value === "string" && /\d{4}-\d\d-\d\d/.test(value))
    return "TIME";
  return plainJson(value);
}

function plainJson(value: JsonValue): Plain {
  if (value instanceof JsonPairs) {
    const members = value.pairs.map(([key, item]) => {
      const name = JSON.stringify(plainJson(key));
      return [name, plainMember(name, item)] as const;
    });
    return sorted(Object.fromEntries(members));
  }
  if (value instanceof Map) {
    const members = [...(value as ReadonlyMap<string, JsonValue>)];
    const kept = members.filter(([key]) => !OWN_PROGRESS.test(key));
    return sorted(Object.fromEntries(kept.map(([key, item]) => [key, plainMember(key, item)])));
  }
  if (Array.isArray(value)) {
    const items = (value as readonly JsonValue[]).map(plainJson);
    return items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  return typeof value === "bigint" ? value.toString() : (value as null | boolean | number | string);
}

function sorted(value: Readonly<Record<string, Plain>>): Plain {
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Property strings as sets: the order carries no meaning, and the broker's own additions stand anywhere (4.1.6). */
function plainProperties(text: string): Plain {
  return text
    .split("\u0002")
    .filter((part) => part !== "" && !OWN_PROPERTIES.has(part.split("\u0001")[0] ?? ""))
    .toSorted();
}

function plainRecords(body: Buffer): Plain {
  return recordsOf(body).map((record) => ({
    topic: record.topic,
    body: record.text,
    queue: `${record.queueId}:${record.queueOffset}`,
    flags: `${record.flag} ${record.sysFlag}`,
    born: record.bornTimestamp,
    reconsumeTimes: record.reconsumeTimes,
    properties: plainProperties(record.properties),
  }));
}

function plainBody(code: number, heard: Heard): Plain {
  if (heard.body.length === 0) return null;
  const isRecord = heard.body.length > 8 && heard.body.readUInt32BE(4) === RECORD_MAGIC;
  if (isRecord) return plainRecords(heard.body);
  const text = heard.body.toString("utf8");
  if (PROPERTY_CODES.has(code))
    return text
      .split("\n")
      .map((line) => line.split("=")[0] ?? "")
      .toSorted();
  try {
    const value = parseFastjson(text);
    if (code !== 28) return plainJson(value);
    const table = value instanceof Map ? value.get("table") : undefined;
    return table instanceof Map
      ? [...(table as ReadonlyMap<string, JsonValue>).keys()].toSorted()
      : "no table";
  } catch {
    return text;
  }
}

function plainExt(heard: Heard, code = 0): Plain {
  const members = [...heard.ext].map(([name, value]): [string, Plain] => {
    if (MESSAGE_ID.test(value)) return [name, "ID"];
    if (MESSAGE_ID_V6.test(value)) return [name, "ID6"];
    // One send more or less that was taken before would shift every later one; the setup's offsets show in the pulls.
    if (name === "queueOffset" && SEND_CODES.has(code)) return [name, "OFFSET"];
    if (name === "msgId")
      return [name, value.split(",").map((id) => (MESSAGE_ID.test(id) ? "ID" : id))];
    if (name === "version") return [name, "VERSION"];
    if (name === "indexLastUpdatePhyoffset" && value !== "0") return [name, "PHY"];
    return [name, TIME_NAME.test(name) ? time(Number(value)) : value];
  });
  return sorted(Object.fromEntries(members));
}

/** Status words are part of the protocol (a pull's remark), sentences are not. */
function plainRemark(heard: Heard): Plain {
  return heard.remark !== null && /^[A-Z_]+$/.test(heard.remark) ? heard.remark : null;
}

/** @param code of the request @param address of the server, which its own texts may hold */
export function plainOutcome(code: number, outcome: Outcome, address: string): Plain {
  if (typeof outcome === "string") return { answer: outcome };
  const value = {
    code: outcome.code,
    remark: plainRemark(outcome),
    ext: plainExt(outcome, code),
    body: plainBody(code, outcome),
  };
  return JSON.parse(JSON.stringify(value).replaceAll(address, "SERVER")) as Plain;
}

/** What a server asked its client meanwhile; in no order, because notifications overtake answers (1.5). */
export function plainAsked(asked: readonly Heard[], address: string): readonly Plain[] {
  const texts = asked.map((heard) =>
    JSON.stringify({ code: heard.code, ext: plainExt(heard), body: plainBody(heard.code, heard) }),
  );
  return texts.map((text) => JSON.parse(text.replaceAll(address, "SERVER")) as Plain);
}

function shown(value: Plain | undefined): string {
  const text = value === undefined ? "-" : JSON.stringify(value);
  return text.length > 90 ? `${text.slice(0, 87)}...` : text;
}

function isObject(value: Plain | undefined): value is { readonly [key: string]: Plain } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @returns each place where two values differ, as `place: first -> second` */
export function differences(
  first: Plain | undefined,
  second: Plain | undefined,
  place = "",
): string[] {
  if (isObject(first) && isObject(second)) {
    const names = [...new Set([...Object.keys(first), ...Object.keys(second)])];
    return names.flatMap((name) =>
      differences(first[name], second[name], place === "" ? name : `${place}.${name}`),
    );
  }
  if (Array.isArray(first) && Array.isArray(second)) return listDifferences(first, second, place);
  return JSON.stringify(first) === JSON.stringify(second)
    ? []
    : [`${place}: ${shown(first)} -> ${shown(second)}`];
}

function listDifferences(
  first: readonly Plain[],
  second: readonly Plain[],
  place: string,
): string[] {
  const texts = (items: readonly Plain[]) => items.map((item) => JSON.stringify(item));
  const [before, after] = [texts(first), texts(second)];
  const gone = before.filter((text) => !after.includes(text));
  const come = after.filter((text) => !before.includes(text));
  if (gone.length === 0 && come.length === 0) {
    return before.join() === after.join() ? [] : [`${place}: other order or number`];
  }
  return [`${place}: -[${shown(gone)}] +[${shown(come)}]`];
}
