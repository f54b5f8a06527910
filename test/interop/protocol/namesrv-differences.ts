/** Where our name server answers otherwise than Apache's 4.9.0 (differential.test.ts): whether it matters, why, what, and in which cases. */
import type { Difference } from "./verdicts.ts";

export const NAMESRV_DIFFERENCES: readonly Difference[] = [
  {
    verdict: "safer on purpose",
    why: "F-11, F-12: an unknown code is answered 3 at once; 4.9.0 lets the caller wait for its timeout",
    found: {
      'answer: "silent" -> -; code: - -> 3; remark: - -> null; ext: - -> {}; body: - -> null':
        "10 not served; 11 not served; 34 not served; 107 not served; 320 not served; 9999 not served; 0 not served; -1 not served",
    },
  },
  {
    verdict: "same",
    why: "4.9.8's ADD_WRITE_PERM_OF_BROKER is served; 4.9.0 does not know it",
    found: {
      'answer: "silent" -> -; code: - -> 1; remark: - -> null; ext: - -> {}; body: - -> null':
        "327 not served",
    },
  },
  {
    verdict: "safer on purpose",
    why: "F-15: a missing field is named; 4.9.0 goes on with null, and keeps brokers, clusters and keys under it",
    found: {
      "code: 17 -> 1": "105 no ext; 105 without topic",
      'code: 0 -> 1; body: {"topicList":[]} -> null': "224 no ext; 224 without cluster",
      'code: 0 -> 1; ext.changed: "true" -> -': "322 no ext; 322 without brokerAddr",
      'code: 0 -> 1; ext.changed: "false" -> -; body: {"counter":2,"timestamp":"TIME"} -> null':
        "322 without brokerName; 322 without clusterName; 322 without brokerId",
      "code: 22 -> 1":
        "101 no ext; 101 without namespace; 101 without key; 219 no ext; 219 without namespace",
      "code: 0 -> 1":
        "102 no ext; 102 without namespace; 102 without key; 100 without value; 216 no ext; 216 without topic; 104 without brokerName; 104 without brokerAddr; 104 without clusterName",
      'code: 0 -> 1; ext.wipeTopicCount: "0" -> -': "205 no ext; 205 without brokerName",
      'code: 0 -> 1; body: {"table":{"NsTopic":"broker-x:4"}} -> null':
        "103 without brokerName; 103 without brokerAddr; 103 without clusterName",
    },
  },
  {
    verdict: "safer on purpose",
    why: "F-16: a number that is none is refused; 4.9.0 goes on with null or 0",
    found: {
      'code: 0 -> 1; ext.changed: "false" -> -; body: {"counter":2,"timestamp":"TIME"} -> null':
        "322 brokerId=abc; 322 brokerId=99999999999999999999",
      'code: 0 -> 1; body: {"table":{"NsTopic":"broker-x:4"}} -> null':
        "103 bodyCrc32=abc; 103 bodyCrc32=99999999999999999999",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-32: a registration with an illegal name, address or id is refused",
    found: {
      'code: 0 -> 1; body: {"table":{"NsTopic":"broker-x:4"}} -> null':
        "103 brokerName=; 103 brokerAddr=; 103 clusterName=; 103 brokerId=-1",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-33, N-04: namespaces and keys are checked",
    found: {
      "code: 0 -> 1": "100 namespace=; 100 key=",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-31, D-15: only what may change at run time is taken, anything else is refused as a whole; 4.9.0 says success and ignores it",
    found: {
      "code: 0 -> 16": "318; 318 unknown key",
    },
  },
  {
    verdict: "same",
    why: "our own keys are listed as well",
    found: {
      'body: -[[]] +[["\\"aclBrokerAccessKey\\"","\\"aclEnable\\"","\\"aclMode\\"","\\"allowForeignBrokerAddr\\"","\\...]':
        "319",
    },
  },
  {
    verdict: "same",
    why: "fastjson makes null of a foreign body, and 4.9.0 fails on it with a null pointer; ours takes it as one that says nothing",
    found: {
      'code: 1 -> 0; ext.changed: - -> "true"; body: null -> {"counter":2,"timestamp":"TIME"}':
        "322 empty body",
      'code: 1 -> 0; body: null -> {"table":{"NsTopic":"broker-x:4"}}':
        "103 body []; 103 body null",
    },
  },
];
