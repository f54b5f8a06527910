/**
 * The rows of `npm run interop`: every feature, and for each client the tests that prove it, or why that client has no such thing. A pattern is
 * matched against `FILE > DESCRIBE > TEST`.
 */

/** Patterns of the tests of one cell; a text says why the client lacks the feature. */
export type Cell = readonly RegExp[] | string;

export interface Feature {
  readonly name: string;
  readonly java: Cell;
  readonly go: Cell;
  readonly own: Cell;
  readonly mqadmin: Cell;
}

const java = (row: string): Cell => [tagged("java-features", row)];
const go = (row: string): Cell => [tagged("go-features", row)];
const mqadmin = (row: string): Cell => [tagged("mqadmin-features", row)];

function tagged(file: string, row: string): RegExp {
  return new RegExp(`${file}\\.test\\.ts > .*\\[${row}\\]`);
}

/** A test of ours, through our own broker (e2e) or Apache's (interop). */
const own = (...tests: readonly string[]): Cell =>
  tests.map((test) => new RegExp(`^test/(e2e/engine/(client|admin)|interop)/.*${test}`));

const NO_SENDING = "mqadmin is no producer or consumer";
const NOT_IN_GO = "rocketmq-client-go 2.1.2 has no such call";

const SENDING: readonly Feature[] = [
  {
    name: "send, waiting",
    java: java("sync"),
    go: go("sync"),
    own: own(
      "produce-consume.*consumed in full",
      "our-client.*Apache's consumer reads what we send",
    ),
    mqadmin: mqadmin("sync"),
  },
  {
    name: "send, asynchronous",
    java: java("async"),
    go: go("async"),
    own: own("send-retries.*the budget is over all attempts"),
    mqadmin: NO_SENDING,
  },
  {
    name: "send, one-way",
    java: java("oneway"),
    go: go("oneway"),
    own: own("send-retries.*a one-way send", "produce-consume.*everything a message carries"),
    mqadmin: NO_SENDING,
  },
  {
    name: "send, batch",
    java: java("batch"),
    go: go("batch"),
    own: own(
      "send-retries.*a batch is one request",
      "produce-consume.*everything a message carries",
    ),
    mqadmin: NO_SENDING,
  },
  {
    name: "compressed bodies, both ways",
    java: java("compressed"),
    go: go("compressed"),
    own: own("produce-consume.*everything a message carries"),
    mqadmin: NO_SENDING,
  },
  {
    name: "4 MiB limit",
    java: java("limit"),
    go: go("limit"),
    own: own("consumer-control.*4 MiB"),
    mqadmin: NO_SENDING,
  },
  {
    name: "selected queue, ordered sends",
    java: java("select"),
    go: go("select"),
    own: own("consumer-control.*a selector's queue", "orderly.*in order, one call at a time"),
    mqadmin: NO_SENDING,
  },
  {
    name: "delay levels",
    java: java("delay"),
    go: go("delay"),
    own: own("produce-consume.*a delayed message"),
    mqadmin: NO_SENDING,
  },
];

const CONSUMING: readonly Feature[] = [
  {
    name: "tags, keys, properties",
    java: java("tags"),
    go: go("tags"),
    own: own("produce-consume.*only the subscribed tags", "produce-consume.*everything a message"),
    mqadmin: NO_SENDING,
  },
  {
    name: "SQL92 filters",
    java: [
      tagged("java-features", "sql"),
      /interop\/sql-consumer\.test\.ts > .*exactly what its selector/,
    ],
    go: go("sql"),
    own: [/e2e\/engine\/client\/sql-consumer\.test\.ts/],
    mqadmin: NO_SENDING,
  },
  {
    name: "push in a cluster, two clients of a process",
    java: java("cluster"),
    go: go("cluster"),
    own: own("consumer-control.*two clients of one process", "rebalance.*two members share"),
    mqadmin: mqadmin("cluster"),
  },
  {
    name: "push in order, locks, suspended queue",
    java: java("orderly"),
    go: go("orderly"),
    own: own("orderly\\.test\\.ts", "our-client-consumers.*(in order|put off in order)"),
    mqadmin: NO_SENDING,
  },
  {
    name: "broadcast with local offsets",
    java: java("broadcast"),
    go: go("broadcast"),
    own: own("rebalance.*broadcasting members", "our-client-consumers.*broadcasting"),
    mqadmin: NO_SENDING,
  },
  {
    name: "from first, last, a time",
    java: java("from"),
    go: go("from"),
    own: own("pull-answers.*consumeFrom", "consumer-control.*first message, at the end"),
    mqadmin: NO_SENDING,
  },
  {
    name: "retry with delay levels",
    java: java("retry"),
    go: go("retry"),
    own: own("produce-consume.*wanted later", "consumer-control.*chooses the delay"),
    mqadmin: NO_SENDING,
  },
  {
    name: "dead letters",
    java: java("dlq"),
    go: go("dlq"),
    own: own("produce-consume.*dead letter", "orderly.*dead letter"),
    mqadmin: NO_SENDING,
  },
  {
    name: "pause and resume",
    java: java("suspend"),
    go: go("suspend"),
    own: own("consumer-control.*paused", "lite-pull.*paused"),
    mqadmin: NO_SENDING,
  },
  {
    name: "lite pull, assign, seek, commit",
    java: java("lite"),
    go: go("lite"),
    own: own("lite-pull\\.test\\.ts", "our-client-consumers.*lite pull"),
    mqadmin: NO_SENDING,
  },
  {
    name: "allocation strategies",
    java: java("strategies"),
    go: go("strategies"),
    own: own("consumer-control.*strategy", "java-features.*our strategies give"),
    mqadmin: NO_SENDING,
  },
  {
    name: "reading from the slave",
    java: java("slave"),
    go: go("slave"),
    own: own(
      "pull-answers.*asks the broker that was suggested",
      "master-down.*consumed from its slave",
    ),
    mqadmin: NO_SENDING,
  },
];

const AROUND: readonly Feature[] = [
  {
    name: "transactions",
    java: [/interop\/transactions\.test\.ts > .*TransactionMQProducer/],
    go: go("transactions"),
    own: [
      /e2e\/engine\/client\/transactions\.test\.ts/,
      /interop\/transactions\.test\.ts > .*a transaction producer of ours/,
    ],
    mqadmin: NO_SENDING,
  },
  {
    name: "request and reply",
    java: [/interop\/transactions\.test\.ts > .*request\(\): Java asks/],
    go: go("request"),
    own: [
      /e2e\/engine\/client\/request-reply\.test\.ts/,
      /interop\/transactions\.test\.ts > .*request and reply of ours/,
    ],
    mqadmin: NO_SENDING,
  },
  {
    name: "access control (ACL 1.0)",
    java: [/security\.test\.ts > .*AclClientRPCHook/],
    go: go("acl"),
    own: [/security\.test\.ts > .*with credentials/, /e2e\/engine\/acl\.test\.ts > .*our client/],
    mqadmin: [/security\.test\.ts > .*mqadmin .*accounts/],
  },
  {
    name: "TLS",
    java: [/security\.test\.ts > TLS.*Java client with certificates/],
    go: "rocketmq-client-go 2.1.2 has no TLS",
    own: [/e2e\/engine\/tls\.test\.ts/],
    mqadmin: [/security\.test\.ts > TLS.*mqadmin/],
  },
  {
    name: "access control over TLS",
    java: [/acl-over-tls\.test\.ts > .*Java client/, /acl-over-tls\.test\.ts > .*alone/],
    go: "rocketmq-client-go 2.1.2 has no TLS",
    own: [/acl-over-tls\.test\.ts > .*ours reads/, /acl-over-tls\.test\.ts > .*alone/],
    mqadmin: [/acl-over-tls\.test\.ts > .*mqadmin/],
  },
  {
    name: "message trace",
    java: java("trace"),
    go: go("trace"),
    own: own("trace\\.test\\.ts", "our-client-consumers.*message trace"),
    mqadmin: mqadmin("trace"),
  },
  {
    name: "query by key, ids, time",
    java: java("query"),
    go: NOT_IN_GO,
    own: own("admin-client.*finds messages by offset id"),
    mqadmin: mqadmin("query"),
  },
  {
    name: "group settings",
    java: java("group-settings"),
    go: go("group-settings"),
    own: own("mqadmin-features.*updateSubGroup"),
    mqadmin: mqadmin("group-settings"),
  },
  {
    name: "offset reset while running",
    java: java("reset"),
    go: go("reset"),
    own: own("admin-client.*resets a group that is online", "mqadmin-features.*and ours"),
    mqadmin: mqadmin("reset"),
  },
  {
    name: "IPv6",
    java: java("ipv6"),
    go: go("ipv6"),
    own: own("ipv6\\.test\\.ts"),
    mqadmin: mqadmin("ipv6"),
  },
  {
    name: "topics made by sending and by command",
    java: java("create"),
    go: go("create"),
    own: own("produce-consume.*a topic made by sending", "admin-client.*creates a topic on every"),
    mqadmin: [/mqadmin-diff\.test\.ts > .*updateTopic/, /mqadmin-diff\.test\.ts > .*deleteTopic/],
  },
];

export const FEATURES: readonly Feature[] = [...SENDING, ...CONSUMING, ...AROUND];
