/**
 * Administration of access control (remoting-protocol 6.1): 50, 51, 52, 53. There is no 54: it would hand out every secret (E-07). That the
 * caller is an administrator was seen to before.
 */
import type { AclFile } from "../../acl/acl-file.ts";
import type { AclDocument } from "../../acl/acl-document.ts";
import { withAccount, withoutAccount } from "../../acl/acl-updates.ts";
import { EngineError } from "../../base/engine-error.ts";
import { writeFastjson } from "../../base/fastjson.ts";
import { decodeHeader, encodeHeader } from "../../remoting/command-spec.ts";
import type { ResponseCommand } from "../../remoting/command.ts";
import {
  DELETE_ACL_CONFIG,
  GET_BROKER_CLUSTER_ACL_INFO,
  UPDATE_AND_CREATE_ACL_CONFIG,
  UPDATE_GLOBAL_WHITE_ADDRS_CONFIG,
} from "../../remoting/commands/acl.ts";
import { formatAddress } from "../../remoting/remote-address.ts";
import type { Processor } from "../../remoting/processor.ts";
import { RESPONSE_CODE } from "../../remoting/response-codes.ts";
import type { BrokerContext } from "../broker-context.ts";

const OFF = "access control is off on this broker (aclEnable=false)";

function items(list: string | undefined): readonly string[] {
  return (list ?? "")
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** Applies a change; what cannot be applied is answered with the request's own failure code. */
function change(
  file: AclFile | null,
  failure: number,
  to: (document: AclDocument) => AclDocument,
): ResponseCommand {
  if (file === null) return { code: failure, remark: OFF };
  try {
    file.update(to);
    return { code: RESPONSE_CODE.SUCCESS };
  } catch (error) {
    if (error instanceof EngineError) return { code: failure, remark: error.message };
    throw error;
  }
}

function updateAccount(file: AclFile | null): Processor {
  return (request) => {
    const header = decodeHeader(UPDATE_AND_CREATE_ACL_CONFIG.request, request.extFields);
    const { topicPerms, groupPerms, ...account } = header;
    const perms = { topicPerms: items(topicPerms), groupPerms: items(groupPerms) };
    return change(file, RESPONSE_CODE.UPDATE_AND_CREATE_ACL_CONFIG_FAILED, (document) =>
      withAccount(document, { ...account, ...perms }),
    );
  };
}

function deleteAccount(file: AclFile | null): Processor {
  return (request) => {
    const { accessKey } = decodeHeader(DELETE_ACL_CONFIG.request, request.extFields);
    return change(file, RESPONSE_CODE.DELETE_ACL_CONFIG_FAILED, (document) =>
      withoutAccount(document, accessKey),
    );
  };
}

function updateGlobalAddresses(file: AclFile | null): Processor {
  return (request) => {
    const header = decodeHeader(UPDATE_GLOBAL_WHITE_ADDRS_CONFIG.request, request.extFields);
    const globalWhiteRemoteAddresses = items(header.globalWhiteAddrs);
    return change(file, RESPONSE_CODE.UPDATE_GLOBAL_WHITE_ADDRS_CONFIG_FAILED, (document) => ({
      ...document,
      globalWhiteRemoteAddresses,
    }));
  };
}

function version(context: BrokerContext, file: AclFile | null): Processor {
  const { brokerName, brokerClusterName, brokerIP1, listenPort } = context.config;
  return () => {
    if (file === null) return { code: RESPONSE_CODE.SYSTEM_ERROR, remark: OFF };
    const extFields = encodeHeader(GET_BROKER_CLUSTER_ACL_INFO.response, {
      version: writeFastjson({ ...file.version }),
      allAclFileVersion: writeFastjson({ "plain_acl.yml": { ...file.version } }),
      brokerName,
      brokerAddr: formatAddress(brokerIP1, listenPort),
      clusterName: brokerClusterName,
    });
    return { code: RESPONSE_CODE.SUCCESS, extFields };
  };
}

/** @returns processors by code */
export function createAclProcessors(
  context: BrokerContext,
): readonly (readonly [number, Processor])[] {
  const { aclFile } = context;
  return [
    [UPDATE_AND_CREATE_ACL_CONFIG.code, updateAccount(aclFile)],
    [DELETE_ACL_CONFIG.code, deleteAccount(aclFile)],
    [GET_BROKER_CLUSTER_ACL_INFO.code, version(context, aclFile)],
    [UPDATE_GLOBAL_WHITE_ADDRS_CONFIG.code, updateGlobalAddresses(aclFile)],
  ];
}
