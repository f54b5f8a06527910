import { crc32 } from "../../base/crc32.ts";
import { decodeRegisterBroker } from "../../remoting/bodies/register-broker.ts";
import { encodeTextTable } from "../../remoting/bodies/simple.ts";
import { decodeHeader, encodeHeader } from "../../remoting/command-spec.ts";
import { REGISTER_BROKER } from "../../remoting/commands/name-server.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import { ORDER_TOPIC_CONFIG } from "../kv-config.ts";
import type { ProcessorFamily } from "../namesrv-context.ts";
import { checkedRegistration } from "../registration-checks.ts";

/** Below this request version the body is the topic table itself (3.0.11). */
const WRAPPED_BODY_VERSION = 37;

function isIntact(body: Buffer | null, expected: number | undefined): boolean {
  if (expected === undefined || expected === 0) return true;
  const bytes = body ?? Buffer.alloc(0);
  return (crc32(bytes, 0, bytes.length) & 0x7fff_ffff) === expected;
}

/** REGISTER_BROKER (remoting-protocol 3.2). */
export const registerBroker: ProcessorFamily = ({ registry, kv, config, now }) => [
  [
    REGISTER_BROKER.code,
    (request, { channel }) => {
      const header = decodeHeader(REGISTER_BROKER.request, request.extFields);
      if (!isIntact(request.body, header.bodyCrc32)) {
        return { code: RESPONSE_CODE.SYSTEM_ERROR, remark: "crc32 not match" };
      }
      const isBare = request.version < WRAPPED_BODY_VERSION;
      const body = decodeRegisterBroker(request.body, header.compressed ?? false, isBare);
      const { allowForeignBrokerAddr } = config.current;
      const policy = { peer: channel.remoteAddress, allowForeignBrokerAddr };
      const registration = checkedRegistration(header, body, policy);
      const master = registry.register(registration, channel, now());
      const orderTopics = kv.table(ORDER_TOPIC_CONFIG);
      return {
        code: RESPONSE_CODE.SUCCESS,
        extFields: encodeHeader(REGISTER_BROKER.response, master ?? {}),
        body: orderTopics === undefined ? null : encodeTextTable(orderTopics),
      };
    },
  ],
];
