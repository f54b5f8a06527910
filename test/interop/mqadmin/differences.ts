/** Every way in which a command prints something else on our cluster than on Apache's, and why. Nothing else may differ. */

/** How a difference is judged. */
export type Verdict =
  /** Another way to the same end; no reader is misled. */
  | "same"
  /** 4.9 does something harmful or wrong here. */
  | "safer"
  /** The figure is of a thing the other broker does not have. */
  | "inside";

export interface Difference {
  /** Name of the command, or a pattern of names. */
  readonly command: string | RegExp;
  /** Lines only Apache's cluster prints. */
  readonly apache?: RegExp;
  /** Lines only ours prints. */
  readonly ours?: RegExp;
  readonly verdict: Verdict;
  readonly why: string;
}

/** How the tools print that a request was answered 16. */
const REFUSED =
  /command failed$|CODE: 16 DESC: Can not update config \w+: it cannot change at run time\.|^For more information, please visit the url/;

export const DIFFERENCES: readonly Difference[] = [
  {
    command: /^brokerStatus/,
    ours: /(^|> )lab\.[\w.]+ :/,
    verdict: "inside",
    why: "exact figures of one instant, which the lab reads",
  },
  {
    command: /^brokerStatus/,
    apache: /(putTps|getFoundTps|getMissTps|getTransferedTps) :( <rate>){0,2}$/,
    ours: /(putTps|getFoundTps|getMissTps|getTransferedTps) : <rate> <rate> <rate>$/,
    verdict: "same",
    why: "a window that is not full yet is shown over what has passed of it, not left empty",
  },
  {
    command: /^brokerStatus/,
    apache: /earliestMessageTimeStamp : <n>$/,
    ours: /earliestMessageTimeStamp : <ms>$/,
    verdict: "same",
    why: "4.9 says -1 until 8 MiB are stored; the time of the first message is known before",
  },
  {
    command: /^getBrokerConfig/,
    ours: /^(bindAddress|advertisedAddresses|acl\w+|tls\.[\w.]+|rocketmq\.acl\.plain\.file|haAllowedAddresses|visibility|masterRecover\w+|slaveTimeout) =/,
    verdict: "inside",
    why: "keys of our engine",
  },
  {
    command: /^getBrokerConfig/,
    ours: /^(haMasterAddress|dLeger\w+|preferredLeaderId) =$/,
    verdict: "same",
    why: "a setting without a value is shown empty; 4.9 leaves it out",
  },
  {
    command: "getNamesrvConfig",
    ours: /^(bindAddress|acl\w+|allowForeignBrokerAddr|tls\.[\w.]+|rocketmq\.acl\.plain\.file) =/,
    verdict: "inside",
    why: "keys of our engine",
  },
  {
    command: /^get(Broker|Namesrv)Config/,
    apache: /^rocketmqHome = \S/,
    ours: /^rocketmqHome =$/,
    verdict: "same",
    why: "nothing is read from an installation directory, so none is needed",
  },
  {
    command: /^getBrokerConfig/,
    apache: /^bitMapLengthConsumeQueueExt = 112$/,
    ours: /^bitMapLengthConsumeQueueExt = 64$/,
    verdict: "same",
    why: "SQL92 filters are evaluated on the records, there are no bit maps whose length would be computed",
  },
  {
    command: "updateNamesrvConfig home",
    apache: /^(update name server config success!|rocketmqHome : )/,
    ours: REFUSED,
    verdict: "safer",
    why: "no path changes at run time (D-15)",
  },
  {
    command: /^(updateAclConfig|deleteAccessConfig|updateGlobalWhiteAddr) /,
    apache: /CODE: (209|210|211) DESC: Cannot invoke .* because "accessValidator" is null$/,
    ours: /CODE: (209|210|211) DESC: access control is off on this broker \(aclEnable=false\)$/,
    verdict: "same",
    why: "the reason in words instead of a null pointer",
  },
  {
    command: "clusterAclConfigVersion -c DefaultCluster",
    apache: /RemotingTimeoutException: wait response on the channel/,
    ours: /CODE: 1 DESC: access control is off on this broker|^For more information/,
    verdict: "safer",
    why: "4.9 answers nothing when access control is off, and the caller waits for its time-out",
  },
  {
    command: "getAccessConfigSubCommand -c DefaultCluster",
    apache: /RemotingTimeoutException: wait response on the channel/,
    ours: /CODE: 3 DESC: request type 54 not supported|^For more information/,
    verdict: "safer",
    why: "the answer holds every secret key; it is gone in 4.9.8 too (E-07)",
  },
  {
    command: /^updateBrokerConfig (unknown|home)$/,
    apache: /^update broker config success, /,
    ours: REFUSED,
    verdict: "safer",
    why: "4.9 says yes and drops a key it does not know; it takes a path, which CVE-2023-33246 used",
  },
];
