/** Administration of access control (remoting-protocol 6.1). Lists are comma-separated. */
import { opt, req, type CommandSpec } from "../command-spec.ts";
import { REQUEST_CODE } from "../request-codes.ts";

export const UPDATE_AND_CREATE_ACL_CONFIG = {
  code: REQUEST_CODE.UPDATE_AND_CREATE_ACL_CONFIG,
  name: "UPDATE_AND_CREATE_ACL_CONFIG",
  request: {
    accessKey: req("string"),
    secretKey: opt("string"),
    whiteRemoteAddress: opt("string"),
    admin: opt("bool"),
    defaultTopicPerm: opt("string"),
    defaultGroupPerm: opt("string"),
    topicPerms: opt("string"),
    groupPerms: opt("string"),
  },
  response: {},
} as const satisfies CommandSpec;

export const DELETE_ACL_CONFIG = {
  code: REQUEST_CODE.DELETE_ACL_CONFIG,
  name: "DELETE_ACL_CONFIG",
  request: { accessKey: req("string") },
  response: {},
} as const satisfies CommandSpec;

export const GET_BROKER_CLUSTER_ACL_INFO = {
  code: REQUEST_CODE.GET_BROKER_CLUSTER_ACL_INFO,
  name: "GET_BROKER_CLUSTER_ACL_INFO",
  request: {},
  response: {
    version: req("string"),
    allAclFileVersion: req("string"),
    brokerName: req("string"),
    brokerAddr: req("string"),
    clusterName: req("string"),
  },
} as const satisfies CommandSpec;

export const UPDATE_GLOBAL_WHITE_ADDRS_CONFIG = {
  code: REQUEST_CODE.UPDATE_GLOBAL_WHITE_ADDRS_CONFIG,
  name: "UPDATE_GLOBAL_WHITE_ADDRS_CONFIG",
  request: { globalWhiteAddrs: opt("string") },
  response: {},
} as const satisfies CommandSpec;
