import { EngineError } from "../../base/engine-error.ts";
import { encodeTextTable } from "../../remoting/bodies/simple.ts";
import type { ExtFields } from "../../remoting/command.ts";
import { decodeHeader, encodeHeader } from "../../remoting/command-spec.ts";
import { KV_CONFIG } from "../../remoting/commands/name-server.ts";
import { REQUEST_CODE } from "../../remoting/request-codes.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { ProcessorFamily } from "../namesrv-context.ts";

function refuse(message: string): never {
  throw new EngineError("NAMESRV_KV_INVALID", { message });
}

function names(ext: ExtFields): { readonly namespace: string; readonly key: string } {
  const { namespace, key } = decodeHeader(KV_CONFIG.request, ext);
  if (namespace === undefined || key === undefined) return refuse("namespace or key is null");
  return { namespace, key };
}

/** Key-values: 100, 101, 102, 219 (remoting-protocol 3.8). */
export const kvRequests: ProcessorFamily = ({ kv, logger }) => [
  [
    REQUEST_CODE.PUT_KV_CONFIG,
    (request, { channel }) => {
      const { namespace, key } = names(request.extFields);
      const { value } = decodeHeader(KV_CONFIG.request, request.extFields);
      if (value === undefined) return refuse("the custom field <value> is null");
      kv.put(namespace, key, value);
      logger.info("key-value put", { namespace, key, by: channel.remote });
      return { code: RESPONSE_CODE.SUCCESS };
    },
  ],
  [
    REQUEST_CODE.GET_KV_CONFIG,
    (request) => {
      const { namespace, key } = names(request.extFields);
      const value = kv.get(namespace, key);
      if (value === undefined) {
        const remark = `No config item, Namespace: ${namespace} Key: ${key}`;
        return { code: RESPONSE_CODE.QUERY_NOT_FOUND, remark };
      }
      const extFields = encodeHeader(KV_CONFIG.response, { value });
      return { code: RESPONSE_CODE.SUCCESS, extFields };
    },
  ],
  [
    REQUEST_CODE.DELETE_KV_CONFIG,
    (request, { channel }) => {
      const { namespace, key } = names(request.extFields);
      kv.delete(namespace, key);
      logger.info("key-value deleted", { namespace, key, by: channel.remote });
      return { code: RESPONSE_CODE.SUCCESS };
    },
  ],
  [
    REQUEST_CODE.GET_KVLIST_BY_NAMESPACE,
    (request) => {
      const { namespace } = decodeHeader(KV_CONFIG.request, request.extFields);
      if (namespace === undefined) return refuse("the custom field <namespace> is null");
      const table = kv.table(namespace);
      if (table === undefined) {
        const remark = `No config item, Namespace: ${namespace}`;
        return { code: RESPONSE_CODE.QUERY_NOT_FOUND, remark };
      }
      return { code: RESPONSE_CODE.SUCCESS, body: encodeTextTable(table) };
    },
  ],
];
