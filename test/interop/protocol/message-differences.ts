/** Where our broker answers requests of the message path otherwise than Apache's 4.9.0 (differential.test.ts): whether it matters, why, what, and in which cases. */
import type { Difference } from "./verdicts.ts";

export const MESSAGE_DIFFERENCES: readonly Difference[] = [
  {
    verdict: "safer on purpose",
    why: "1.5: a one-way request is never answered; 4.9.0 answers this one",
    found: {
      'code: 0 -> -; remark: null -> -; ext: {} -> -; body: [{"topic":"DiffA","body":"body 0","queue":"0:0","flags":"0 0","born":1795360599055,"rec... -> -; answer: - -> "silent"':
        "33 oneway",
    },
  },
  {
    verdict: "safer on purpose",
    why: "F-15: a missing field is named; 4.9.0 goes on with null, 0 or false, or fails with a null pointer further in",
    found: {
      'ext.MSG_REGION: "DefaultRegion" -> -; ext.TRACE_ON: "true" -> -':
        "10 no ext; 10 without topic; 310 no ext; 310 without b; 320 no ext; 320 without b; 325 no ext",
      'code: 0 -> 1; ext.MSG_REGION: "DefaultRegion" -> -; ext.TRACE_ON: "true" -> -; ext.msgId: "ID" -> -; ext.queueId: "0" -> -; ext.queueOffset: "OFFSET" -> -':
        "10 without producerGroup; 10 without defaultTopic; 10 without defaultTopicQueueNums; 310 without a; 310 without c; 310 without d",
      'code: 0 -> 1; ext.MSG_REGION: "DefaultRegion" -> -; ext.TRACE_ON: "true" -> -; ext.msgId: ["ID","ID"] -> -; ext.queueId: "0" -> -; ext.queueOffset: "OFFSET" -> -':
        "320 without a; 320 without c; 320 without d",
      'code: 0 -> 1; remark: "FOUND" -> null; ext.maxOffset: "4" -> -; ext.minOffset: "0" -> -; ext.nextBeginOffset: "4" -> -; ext.suggestWhichBrokerId: "0" -> -; body: [{"topic":"DiffA","body":"body 0","queue":"0:0","flags":"0 0","born":1795360599055,"rec... -> null':
        "11 without commitOffset; 11 without suspendTimeoutMillis; 11 without subVersion",
      'code: 22 -> 1; ext.indexLastUpdatePhyoffset: "0" -> -; ext.indexLastUpdateTimestamp: 0 -> -':
        "12 without topic; 12 without key",
    },
  },
  {
    verdict: "safer on purpose",
    why: "F-16: a number that is none is refused; 4.9.0 goes on with null or 0",
    found: {
      'code: 0 -> 1; ext.MSG_REGION: "DefaultRegion" -> -; ext.TRACE_ON: "true" -> -; ext.msgId: "ID" -> -; ext.queueId: "0" -> -; ext.queueOffset: "OFFSET" -> -':
        "10 defaultTopicQueueNums=abc; 10 defaultTopicQueueNums=99999999999999999999; 10 reconsumeTimes=abc; 10 reconsumeTimes=99999999999999999999; 310 d=abc; 310 d=99999999999999999999; 310 j=abc; 310 j=99999999999999999999",
      'code: 0 -> 1; ext.MSG_REGION: "DefaultRegion" -> -; ext.TRACE_ON: "true" -> -; ext.msgId: ["ID","ID"] -> -; ext.queueId: "0" -> -; ext.queueOffset: "OFFSET" -> -':
        "320 d=abc; 320 d=99999999999999999999; 320 j=abc; 320 j=99999999999999999999",
      'code: 0 -> 1; remark: "FOUND" -> null; ext.maxOffset: "4" -> -; ext.minOffset: "0" -> -; ext.nextBeginOffset: "4" -> -; ext.suggestWhichBrokerId: "0" -> -; body: [{"topic":"DiffA","body":"body 0","queue":"0:0","flags":"0 0","born":1795360599055,"rec... -> null':
        "11 commitOffset=abc; 11 commitOffset=99999999999999999999; 11 suspendTimeoutMillis=abc; 11 suspendTimeoutMillis=99999999999999999999; 11 subVersion=abc; 11 subVersion=99999999999999999999",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-03, N-01: group names are checked, nothing is made for a bad one",
    found: {
      'code: 0 -> 1; remark: "FOUND" -> null; ext.maxOffset: "4" -> -; ext.minOffset: "0" -> -; ext.nextBeginOffset: "4" -> -; ext.suggestWhichBrokerId: "0" -> -; body: [{"topic":"DiffA","body":"body 0","queue":"0:0","flags":"0 0","born":1795360599055,"rec... -> null':
        "11 consumerGroup=Diff bad!name; 11 consumerGroup=too long; 11 consumerGroup=",
      "code: 0 -> 26": "36 group=Diff bad!name; 36 group=",
      'code: 1 -> 26; remark: "MESSAGE_ILLEGAL" -> null': "36 group=too long",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-02: closed to clients, the list of 4.9.4 and later",
    found: {
      'code: 0 -> 16; ext.msgId: "ID" -> -; ext.queueId: "0" -> -; ext.queueOffset: "OFFSET" -> -':
        "310 to system topic RMQ_SYS_TRANS_HALF_TOPIC; 310 to system topic SELF_TEST_TOPIC; 310 to system topic OFFSET_MOVED_EVENT; 310 to system topic RMQ_SYS_TRANS_OP_HALF_TOPIC; 310 to system topic TRANS_CHECK_MAX_TIME_TOPIC",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-11: bits of sysFlag that the broker owns are cleared; 4.9.0 believes the IPv6 bits and stores a record whose parts do not add up, or fails",
    found: {
      'ext.msgId: "ID6" -> "ID"': "10 sysFlag=-1; 310 f=-1",
      'code: 13 -> 0; ext.msgId: - -> ["ID","ID"]; ext.queueId: - -> "0"; ext.queueOffset: - -> "OFFSET"':
        "320 f=-1",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-09: properties that do not parse are refused",
    found: {
      'code: 0 -> 13; ext.msgId: "ID" -> -; ext.queueId: "0" -> -; ext.queueOffset: "OFFSET" -> -':
        "310 properties without separator",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-07: maxMessageSize limits the body, as in 4.9.8; 4.9.0 counts the whole record",
    found: {
      'code: 13 -> 0; ext.msgId: - -> "ID"; ext.queueId: - -> "0"; ext.queueOffset: - -> "OFFSET"':
        "310 body of 4 MiB",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-13: a delay level that is no number is an illegal message (13); 4.9.0 fails with an exception",
    found: {
      'code: 1 -> 13; ext.MSG_REGION: - -> "DefaultRegion"; ext.TRACE_ON: - -> "true"':
        "310 DELAY x",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-15: a broken batch is an illegal message (13), nothing of it is stored; 4.9.0 fails with an exception",
    found: {
      'code: 1 -> 13; ext.MSG_REGION: - -> "DefaultRegion"; ext.TRACE_ON: - -> "true"':
        "320 empty body; 320 cut in the middle; 320 garbage; 320 negative size",
    },
  },
  {
    verdict: "safer on purpose",
    why: "remoting-protocol 4.1.1: code 320 says that the body is a batch, whatever field m says; 4.9.0 stores its bytes as one message",
    found: {
      'ext.msgId: "ID" -> ["ID","ID"]': "320 without m; 320 m=maybe",
    },
  },
  {
    verdict: "safer on purpose",
    why: "remoting-protocol 4.1.3: a batch does not go to a retry topic",
    found: {
      'code: 0 -> 13; ext.msgId: ["ID","ID"] -> -; ext.queueId: "0" -> -; ext.queueOffset: "OFFSET" -> -':
        "320 to %RETRY%",
    },
  },
  {
    verdict: "safer on purpose",
    why: "remoting-protocol 4.1.2: without maxReconsumeTimes the group's retryMaxTimes counts, as from 4.9.1 on; 4.9.0 fails with a null pointer",
    found: {
      'code: 1 -> 0; ext.MSG_REGION: - -> "DefaultRegion"; ext.TRACE_ON: - -> "true"; ext.msgId: - -> "ID"; ext.queueId: - -> "0"; ext.queueOffset: - -> "OFFSET"':
        "310 to %RETRY% of an unknown group; 310 to %RETRY%, no limit in the request",
      "code: 1 -> 0": "36 without maxReconsumeTimes",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-17: an offset past the end moves to the end, as from 4.9.4 on; 4.9.0 sends the consumer back to 0",
    found: {
      'ext.nextBeginOffset: "0" -> "3"': "11 past the end; 11 far past the end",
    },
  },
  {
    verdict: "same",
    why: "4.9.0 makes a queue of every name it is asked for, and calls it empty; ours makes none. The code and the offsets are equal",
    found: {
      'remark: "NO_MESSAGE_IN_QUEUE" -> "NO_MATCHED_LOGIC_QUEUE"':
        "11 an empty queue; 11 an empty queue at 5; 11 held in vain",
    },
  },
  {
    verdict: "same",
    why: "remoting-protocol 1.7: pulls are served on the fast port too",
    found: {
      'answer: "silent" -> -; code: - -> 0; remark: - -> "FOUND"; ext: - -> {"maxOffset":"4","minOffset":"0","nextBeginOffset":"4","suggestWhichBrokerId":"0"}; body: - -> [{"topic":"DiffA","body":"body 0","queue":"0:0","flags":"0 0","born":1795360599055,"rec...':
        "11 on the fast port",
    },
  },
  {
    verdict: "safer on purpose",
    why: "remoting-protocol 4.6: dead-letter topics can be read, as from 4.9.2 on",
    found: {
      'code: 16 -> 0; remark: null -> "FOUND"; ext.maxOffset: - -> "6"; ext.minOffset: - -> "0"; ext.nextBeginOffset: - -> "6"; ext.suggestWhichBrokerId: - -> "0"; body: null -> [{"topic":"%DLQ%TOOLS_CONSUMER","body":"m","queue":"0:0","flags":"0 0","born":179536059...':
        "11 the dead-letter topic",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-24: maxNum below 1 is 1; 4.9.0 fails with an exception",
    found: {
      'code: 1 -> 0; ext.indexLastUpdatePhyoffset: - -> "PHY"; ext.indexLastUpdateTimestamp: - -> "TIME"; body: null -> [{"topic":"DiffA","body":"body 3","queue":"3:0","flags":"3 0","born":1795360599055,"rec...':
        "12 maxNum=-1",
    },
  },
  {
    verdict: "same",
    why: "store-and-ha 6.6: the half topic stands in the topic table from its first message on; in 4.9.0 from the first look at it by the check",
    found: {
      'code: 17 -> 0; remark: null -> "FOUND"; ext.maxOffset: - -> "2"; ext.minOffset: - -> "0"; ext.nextBeginOffset: - -> "2"; ext.suggestWhichBrokerId: - -> "0"; body: null -> [{"topic":"RMQ_SYS_TRANS_HALF_TOPIC","body":"m","queue":"0:0","flags":"0 0","born":1795...':
        "11 half topic",
    },
  },
  {
    verdict: "safer on purpose",
    why: "R-25: an end whose transaction id is another one's is refused, and one that comes again does nothing",
    found: {
      "code: 0 -> 1": "37 wrong transaction id",
    },
  },
];
