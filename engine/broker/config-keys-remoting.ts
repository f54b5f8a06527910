/** 4.9.0's NettyServerConfig and NettyClientConfig (admin-protocol D.4), and this engine's own keys. */
import { TLS_CONFIG_FILE, TLS_ENABLE, TLS_MODES } from "../remoting/tls-settings.ts";
import { bool, choice, ignored, number, text, type ConfigKeys } from "./config-keys.ts";

const ONE_LOOP = "one event loop does all network work";
const NODE_BUFFERS = "the operating system's socket buffers are left alone";

export const REMOTING_KEYS = {
  /** Its neighbours belong to the broker too: port - 2 (fast channel) and port + 1 (replication). */
  listenPort: number(10_911, { min: 3, max: 65_534 }),
  serverWorkerThreads: ignored(number(8), ONE_LOOP),
  serverCallbackExecutorThreads: ignored(number(0), ONE_LOOP),
  serverSelectorThreads: ignored(number(3), ONE_LOOP),
  serverOnewaySemaphoreValue: ignored(number(256), ONE_LOOP),
  serverAsyncSemaphoreValue: ignored(number(64), ONE_LOOP),
  serverChannelMaxIdleTimeSeconds: number(120, { min: 1, max: 86_400 }),
  serverSocketSndBufSize: ignored(number(131_072), NODE_BUFFERS),
  serverSocketRcvBufSize: ignored(number(131_072), NODE_BUFFERS),
  serverPooledByteBufAllocatorEnable: ignored(bool(true), NODE_BUFFERS),
  useEpollNativeSelector: ignored(bool(false), ONE_LOOP),
  clientWorkerThreads: ignored(number(4), ONE_LOOP),
  clientCallbackExecutorThreads: ignored(
    number((env) => env.cpus),
    ONE_LOOP,
  ),
  clientOnewaySemaphoreValue: ignored(number(65_535), ONE_LOOP),
  clientAsyncSemaphoreValue: ignored(number(65_535), ONE_LOOP),
  connectTimeoutMillis: number(3_000, { min: 1, max: 600_000 }),
  channelNotActiveInterval: ignored(number(60_000), "4.9 does not use it either"),
  clientChannelMaxIdleTimeSeconds: number(120, { min: 1, max: 86_400 }),
  clientSocketSndBufSize: ignored(number(131_072), NODE_BUFFERS),
  clientSocketRcvBufSize: ignored(number(131_072), NODE_BUFFERS),
  clientPooledByteBufAllocatorEnable: ignored(bool(false), "4.9 does not use it either"),
  clientCloseSocketIfTimeout: ignored(
    bool(false),
    "a late answer is dropped, its connection stays",
  ),
  /** As tls.enable=true. */
  useTLS: bool(false),
} as const satisfies ConfigKeys;

/** Keys of this engine; Apache's broker keeps them as unknown keys and does nothing with them. */
export const OWN_KEYS = {
  /** Address the broker's ports bind; empty = every interface, as 4.9. */
  bindAddress: text(""),
  /** `CIDR=host:port,…`: what the name server answers askers from these networks. */
  advertisedAddresses: text(""),
  /** `strict` closes what 4.9's access control leaves open (faults-and-security 8); `compat` decides as 4.9 does. */
  aclMode: choice(["strict", "compat"], "strict"),
  /** Below rocketmqHome; in 4.9 a system property of this name. */
  "rocketmq.acl.plain.file": text("/conf/plain_acl.yml"),
  /** Access key that slaves sign with, besides administrators; empty = this broker's own. */
  aclBrokerAccessKey: text(""),
  /** What this broker signs its calls with, as mqadmin's conf/tools.yml; empty = that file, when access control is on and it is there. */
  aclCredentialsFile: text(""),
  /** This and the next two are system properties in 4.9. `auto`: enforcing with a certificate, else disabled (E-12). */
  "tls.server.mode": choice(TLS_MODES, "auto"),
  /** Of outgoing connections; `auto`: when tls.server.mode is enforcing. */
  "tls.enable": choice(TLS_ENABLE, "auto"),
  "tls.config.file": text(TLS_CONFIG_FILE),
  /** Comma list of addresses or CIDRs that may replicate; empty = all, as 4.9. */
  haAllowedAddresses: text(""),
  /** When an ASYNC_FLUSH message may be read: once appended (4.9), or once flushed. */
  visibility: choice(["appended", "flushed"], "appended"),
  /** How long a SYNC_MASTER that stopped uncleanly waits for its slaves' ends (H-09). */
  masterRecoverWait: number(5_000, { min: 0, max: 600_000 }),
  /** What it does when none can vouch for its log: serve and say so, or refuse to start. */
  masterRecoverPolicy: choice(["serve", "strict"], "serve"),
  /** Wait for a slave's report; 4.9.0 takes syncFlushTimeout, 4.9.8 has this key with 3,000. 0 = syncFlushTimeout. */
  slaveTimeout: number(0, { min: 0, max: 600_000 }),
} as const satisfies ConfigKeys;
