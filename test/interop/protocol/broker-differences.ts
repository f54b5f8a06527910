/** Where our broker answers other requests, and odd frames, otherwise than Apache's 4.9.0 (differential.test.ts): whether it matters, why, what, and in which cases. */
import type { Difference } from "./verdicts.ts";

export const BROKER_DIFFERENCES: readonly Difference[] = [
  {
    verdict: "safer on purpose",
    why: "F-11, F-12: an unknown code is answered 3 at once; 4.9.0 lets the caller wait for its timeout",
    found: {
      'answer: "silent" -> -; code: - -> 3; remark: - -> null; ext: - -> {}; body: - -> null':
        "54; 13 not served; 22 not served; 23 not served; 27 not served; 39 not served; 40 not served; 103 not served; 105 not served; 209 not served; 210 not served; 211 not served; 212 not served; 213 not served; 214 not served; 220 not served; 221 not served; 302 not served; 326 not served; 9999 not served; 0 not served; -1 not served; 32767 not served; frame: binary, unknown code",
    },
  },
  {
    verdict: "safer on purpose",
    why: "F-06: the header can be answered, so the request is refused and the connection kept; 4.9.0 closes it or answers nothing",
    found: {
      'answer: "closed" -> -; code: - -> 1; remark: - -> null; ext: - -> {}; body: - -> null':
        "frame: ext fields are a list; frame: ext fields are text; frame: code not a number; frame: version beyond 32 bits",
      'answer: "silent" -> -; code: - -> 1; remark: - -> null; ext: - -> {}; body: - -> null':
        "frame: without code",
      'code: 0 -> 1; ext.offset: "3" -> -': "frame: code a fraction",
    },
  },
  {
    verdict: "safer on purpose",
    why: "F-12: a code beyond 32 bits is answered 3; 4.9.0 closes the connection",
    found: {
      'answer: "closed" -> -; code: - -> 3; remark: - -> null; ext: - -> {}; body: - -> null':
        "frame: code beyond 32 bits",
    },
  },
  {
    verdict: "safer on purpose",
    why: "F-05: a header that is not JSON closes the connection; fastjson takes single quotes, bare keys and a comma too many, and reads on behind the end of one that is cut off",
    found: {
      'code: 0 -> -; remark: null -> -; ext: {"offset":"3"} -> -; body: null -> -; answer: - -> "closed"':
        "frame: single quotes; frame: bare keys; frame: trailing comma",
      'answer: "silent" -> "closed"': "frame: cut off",
    },
  },
  {
    verdict: "safer on purpose",
    why: "F-15: a missing field is named; 4.9.0 goes on with null, 0 or false, or fails with a null pointer further in",
    found: {
      'code: 0 -> 1; ext.offset: "0" -> -': "14 without consumerGroup",
      "code: 0 -> 1":
        "15 without consumerGroup; 15 without topic; 17 without defaultTopic; 314 without srcGroup; 314 without destGroup; 35 no ext; 35 without clientID",
      'code: 0 -> 1; body: {"consumeTimeSpanSet":[{"consumeTimeStamp":"TIME","consumeTimeStampStr":"TIME","delayTi... -> null':
        "303 without group",
      'code: 0 -> 1; body: {"correctionOffsets":{"0":0,"1":1}} -> null': "308 without compareGroup",
      'code: 0 -> 1; body: {"consumerTable":{"192.0.2.7@diff":{"{\\"brokerName\\":\\"broker-a\\",\\"queueId\\":0,\\"topic... -> null':
        "223 without topic",
      'code: 0 -> 1; body: {"brokerAddr":"SERVER","consumeStatsList":[{"":[]},{"CG_broadcast":[]},{"CG_commits":[{... -> null':
        "317 no ext; 317 without isOrder",
      'code: 0 -> 1; body: {"filterData":"OWN","maxQueueIndex":4,"minQueueIndex":0,"queueData":[{"eval":false,"phy... -> null':
        "321 without queueId",
      'code: 0 -> 1; body: {"filterData":"OWN","maxQueueIndex":3,"minQueueIndex":0,"queueData":[{"eval":false,"phy... -> null':
        "321 without index",
      'code: 0 -> 1; body: {"filterData":"OWN","maxQueueIndex":3,"minQueueIndex":0,"queueData":[],"subscriptionDat... -> null':
        "321 without count",
      "code: 209 -> 1": "50 no ext",
      "code: 210 -> 1": "51 no ext",
    },
  },
  {
    verdict: "safer on purpose",
    why: "F-16: a number that is none is refused; 4.9.0 goes on with null or 0",
    found: {
      "code: 0 -> 1": "17 topicSysFlag=abc; 17 topicSysFlag=99999999999999999999",
      'code: 0 -> 1; body: {"filterData":"OWN","maxQueueIndex":4,"minQueueIndex":0,"queueData":[{"eval":false,"phy... -> null':
        "321 queueId=abc; 321 queueId=99999999999999999999",
      'code: 0 -> 1; body: {"filterData":"OWN","maxQueueIndex":3,"minQueueIndex":0,"queueData":[{"eval":false,"phy... -> null':
        "321 index=abc; 321 index=99999999999999999999",
      'code: 0 -> 1; body: {"filterData":"OWN","maxQueueIndex":3,"minQueueIndex":0,"queueData":[],"subscriptionDat... -> null':
        "321 count=abc; 321 count=99999999999999999999",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-03, N-01: group names are checked, nothing is made for a bad one",
    found: {
      "code: 0 -> 1":
        "34 illegal group; 34 group too long; 15 consumerGroup=Diff bad!name; 15 consumerGroup=too long; 15 consumerGroup=; 200 made body []; 200 made body null; 200 illegal name; 200 name too long; 314 srcGroup=Diff bad!name; 314 srcGroup=too long; 314 srcGroup=; 314 destGroup=Diff bad!name; 314 destGroup=too long; 314 destGroup=",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-27: a heartbeat without a clientID registers nobody",
    found: {
      "code: 0 -> 1": "34 broken body {}",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-21: nothing is kept for unknown topics, groups or negative offsets, and an offset past the end is brought back to it",
    found: {
      "code: 0 -> 1": "15 topic=Diff bad!name; 15 topic=too long; 15 topic=; 15 commitOffset=-1",
      'ext.offset: "99" -> "3"': "14 past the end",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-29: queue numbers outside 1 to 1,024 and perms outside 0 to 7 are refused; 4.9.0 makes the topic",
    found: {
      "code: 0 -> 1": "17 readQueueNums=-1; 17 writeQueueNums=-1; 17 perm=-1; 17 zero queues",
    },
  },
  {
    verdict: "same",
    why: "fastjson makes null of an empty or foreign body, and 4.9.0 fails on it with a null pointer; ours takes it as one that says nothing",
    found: {
      "code: 1 -> 0": "46 empty body; 42 body []; 42 body {}; 42 body null",
      'code: 1 -> 0; body: null -> {"lockOKMQSet":[]}': "41 body []; 41 body null",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-26: queues of unknown topics are not locked",
    found: {
      'body.lockOKMQSet: -[["{\\"queueId\\":0,\\"topic\\":\\"N\\"}"]] +[[]]': "41 unknown topic",
    },
  },
  {
    verdict: "safer on purpose",
    why: "admin-protocol B.1, 303: an empty queue has no delay; 4.9.0 counts it from 1970",
    found: {
      'body.consumeTimeSpanSet: -[["{\\"consumeTimeStamp\\":-1,\\"consumeTimeStampStr\\":\\"TIME\\",\\"delayTime\\":\\"DELAY\\",\\"m...] +[["{\\"consumeTimeStamp\\":-1,\\"consumeTimeStampStr\\":\\"TIME\\",\\"delayTime\\":0,\\"maxTimeSt...]':
        "303 topic=DiffUnknown",
    },
  },
  {
    verdict: "same",
    why: "a missing filter type is SINGLE_TAG; 4.9.0 refuses the request",
    found: {
      "code: 1 -> 0": "17 without topicFilterType; 17 topicFilterType=",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-21, R-03: nothing was kept for the bad names of earlier requests, which 4.9.0 lists here, or trips over",
    found: {
      'body.groupList: -[["\\"CG_15v\\""]] +[[]]':
        "300 topic=Diff bad!name; 300 topic=too long; 300 topic=",
      'body.offsetTable.@CG_15v: {"0":2} -> -; body.offsetTable.Diff bad!name@CG_15v: {"0":2} -> -; body.offsetTable.DiffSink@: {"0":2} -> -; body.offsetTable.DiffSink@CG_15v.0: -1 -> 2; body.offsetTable.DiffSink@CG_15v.-1: 2 -> 0; body.offsetTable.DiffSink@Diff bad!name: {"0":2} -> -; body.offsetTable.DiffSink@LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL: {"0":2} -> -; body.offsetTable.DiffSink@null: {"0":2} -> -; body.offsetTable.DiffUnknown@CG_15v.0: 2 -> 1; body.offsetTable.LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL@CG_15v: {"0":2} -> -; body.offsetTable.null@CG_15v: {"0":2} -> -':
        "43",
      'body.subscriptionGroupTable.: {"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable"... -> -; body.subscriptionGroupTable.CG_stranger: {"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable"... -> -; body.subscriptionGroupTable.Diff bad!name: {"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable"... -> -; body.subscriptionGroupTable.GGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGG: {"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable"... -> -; body.subscriptionGroupTable.LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL: {"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable"... -> -; body.subscriptionGroupTable.bad group!: {"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable"... -> -; body.subscriptionGroupTable.CG_15: - -> {"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable"...; body.subscriptionGroupTable.CG_15v: - -> {"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable"...; body.subscriptionGroupTable.CG_oneway: - -> {"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable"...':
        "201",
      "body.correctionOffsets.0: 2 -> 1": "308 topic=DiffUnknown",
      "body.correctionOffsets.0: 2 -> -": "308 topic=Diff bad!name; 308 topic=too long; 308 topic=",
      'code: 1 -> 0; body: null -> {"correctionOffsets":{"0":0,"1":2}}': "308 without groups",
      'body.consumeStatsList: -[["{\\"\\":[]}","{\\"CG_stranger\\":[]}","{\\"Diff bad!name\\":[{\\"consumeTps\\":\\"RATE\\",\\"off...] +[["{\\"CG_15\\":[{\\"consumeTps\\":\\"RATE\\",\\"offsetTable\\":{\\"{\\\\\\"brokerName\\\\\\":\\\\\\"broke...]':
        "317; 317 binary; 317 isOrder=maybe",
      'body.subscriptionGroupTable.CG_stranger: {"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable"... -> -; body.subscriptionGroupTable.Diff bad!name: {"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable"... -> -; body.subscriptionGroupTable.GGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGG: {"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable"... -> -; body.subscriptionGroupTable.LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL: {"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable"... -> -; body.subscriptionGroupTable.bad group!: {"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable"... -> -; body.subscriptionGroupTable.CG_15: - -> {"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable"...; body.subscriptionGroupTable.CG_15v: - -> {"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable"...; body.subscriptionGroupTable.CG_oneway: - -> {"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable"...':
        "201 at the end",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-21, R-03, as before; and 4.9.0's 308 deletes the offsets of its filterGroups, ours leaves them out of the answer",
    found: {
      'body.offsetTable.@CG_15v: {"0":2} -> -; body.offsetTable.Diff bad!name@CG_15v: {"0":2} -> -; body.offsetTable.DiffA@: {"1":2} -> -; body.offsetTable.DiffA@Diff bad!name: {"1":2} -> -; body.offsetTable.DiffA@LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL: {"1":2} -> -; body.offsetTable.DiffA@null: {"1":2} -> -; body.offsetTable.DiffSink@: {"0":2} -> -; body.offsetTable.DiffSink@CG_15v.0: -1 -> 2; body.offsetTable.DiffSink@CG_15v.-1: 2 -> 0; body.offsetTable.DiffSink@Diff bad!name: {"0":2} -> -; body.offsetTable.DiffSink@LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL: {"0":2} -> -; body.offsetTable.DiffSink@null: {"0":2} -> -; body.offsetTable.DiffUnknown@CG_15v: {"0":2} -> -; body.offsetTable.LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL@CG_15v: {"0":2} -> -; body.offsetTable.null@CG_15v: {"0":2} -> -; body.offsetTable.DiffA@CG_15: - -> {"1":1}':
        "43 at the end",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-03, R-04, R-29, remoting-protocol 4.0: retry topics have one queue and dead-letter topics perm 6 as from 4.9.2 on, and nothing was made for bad names",
    found: {
      'body.topicConfigTable.%DLQ%TOOLS_CONSUMER.perm: 2 -> 6; body.topicConfigTable.%RETRY%: {"order":false,"perm":6,"readQueueNums":1,"topicFilterType":"SINGLE_TAG","topicName":"%... -> -; body.topicConfigTable.%RETRY%CG_none.readQueueNums: 4 -> 1; body.topicConfigTable.%RETRY%CG_none.writeQueueNums: 4 -> 1; body.topicConfigTable.%RETRY%CG_stranger: {"order":false,"perm":6,"readQueueNums":1,"topicFilterType":"SINGLE_TAG","topicName":"%... -> -; body.topicConfigTable.%RETRY%Diff bad!name: {"order":false,"perm":6,"readQueueNums":1,"topicFilterType":"SINGLE_TAG","topicName":"%... -> -; body.topicConfigTable.%RETRY%LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL: {"order":false,"perm":6,"readQueueNums":1,"topicFilterType":"SINGLE_TAG","topicName":"%... -> -; body.topicConfigTable.%RETRY%TOOLS_CONSUMER.readQueueNums: 4 -> 1; body.topicConfigTable.%RETRY%TOOLS_CONSUMER.writeQueueNums: 4 -> 1; body.topicConfigTable.%RETRY%bad group!: {"order":false,"perm":6,"readQueueNums":1,"topicFilterType":"SINGLE_TAG","topicName":"%... -> -; body.topicConfigTable.DiffZero: {"order":false,"perm":6,"readQueueNums":0,"topicFilterType":"SINGLE_TAG","topicName":"D... -> -; body.topicConfigTable.RMQ_SYS_TRANS_HALF_TOPIC.readQueueNums: 4 -> 1; body.topicConfigTable.RMQ_SYS_TRANS_HALF_TOPIC.writeQueueNums: 4 -> 1; body.topicConfigTable.RMQ_SYS_TRANS_OP_HALF_TOPIC: {"order":false,"perm":6,"readQueueNums":4,"topicFilterType":"SINGLE_TAG","topicName":"R... -> -; body.topicConfigTable.TRANS_CHECK_MAX_TIME_TOPIC: {"order":false,"perm":6,"readQueueNums":4,"topicFilterType":"SINGLE_TAG","topicName":"T... -> -':
        "21; 21 at the end",
    },
  },
  {
    verdict: "same",
    why: "our own keys are listed as well, and those 4.9.0 has no value for",
    found: {
      'body: -[[]] +[["\\"aclBrokerAccessKey\\"","\\"aclCredentialsFile\\"","\\"aclMode\\"","\\"advertisedAddresses...]':
        "26",
      'body: -[[]] +[["\\"lab.at\\"","\\"lab.boot\\"","\\"lab.conn.count\\"","\\"lab.disk.longestSyncMs\\"","\\"lab.d...]':
        "28",
    },
  },
  {
    verdict: "same",
    why: "4.9.0 makes a queue of every name it is asked for, and then misses the entry; ours says that there is no such queue",
    found: {
      "code: 0 -> 1":
        "321 topic=DiffUnknown; 321 topic=Diff bad!name; 321 topic=too long; 321 topic=; 321 queueId=-1",
    },
  },
  {
    verdict: "same",
    why: "remoting-protocol 1.4: an empty value is a missing one",
    found: {
      'body.filterData: "OWN" -> -': "321 consumerGroup=",
    },
  },
  {
    verdict: "safer on purpose",
    why: "1.6: every request is answered; 4.9.0 is silent while access control is off",
    found: {
      'answer: "silent" -> -; code: - -> 1; remark: - -> null; ext: - -> {}; body: - -> null': "52",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-31, D-15: only what may change at run time is taken, anything else is refused as a whole",
    found: {
      "code: 0 -> 16": "25; 25 unknown key",
    },
  },
  {
    verdict: "same",
    why: "admin-protocol A: filter servers do not exist any more, and 4.9.8 does not serve 301 either",
    found: {
      'code: 0 -> 3; ext.brokerId: "0" -> -; ext.brokerName: "broker-a" -> -': "301; 301 no ext",
    },
  },
  {
    verdict: "same",
    why: "4.9.8's 328 and 329 are served; 4.9.0 does not know them",
    found: {
      'answer: "silent" -> -; code: - -> 0; remark: - -> null; ext: - -> {}; body: - -> {"data":{"PG_diff":[{"clientId":"192.0.2.7@diff","language":"JAVA","lastUpdateTimestamp...':
        "328 not served",
      'answer: "silent" -> -; code: - -> 0; remark: - -> null; ext: - -> {}; body: - -> null':
        "329 not served",
    },
  },
  {
    verdict: "safer on purpose",
    why: "F-15: 4.9.0 passes requests with missing fields on to the client",
    found: {
      'asked: -[["{\\"code\\":221,\\"ext\\":{\\"group\\":\\"CG_diff\\"},\\"body\\":null}"]] +[[]]':
        "requests to the client",
    },
  },
];
