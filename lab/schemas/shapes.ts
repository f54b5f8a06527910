/** Parts that several documents share. */
import { z } from "zod";
import { recordSchema } from "../faults/fault.ts";

export const portSchema = z.strictObject({
  name: z.enum(["namesrv", "broker", "fast", "ha", "dashboard"]),
  inner: z.int(),
  published: z.int().nullable(),
});

const nodeSchema = z.strictObject({
  name: z.string(),
  role: z.enum(["namesrv", "broker-master", "broker-slave", "dashboard"]),
  host: z.string(),
  alias: z.string(),
  ports: z.array(portSchema),
  resources: z.strictObject({ memoryMiB: z.number(), heapMiB: z.number(), cpus: z.number() }),
  settings: z
    .array(z.strictObject({ key: z.string(), value: z.string(), from: z.string() }))
    .optional(),
  engine: z.strictObject({ kind: z.enum(["apache-dist", "apache"]), from: z.string() }).optional(),
  broker: z
    .strictObject({
      propertiesFile: z.string(),
      clusterName: z.string(),
      brokerName: z.string(),
      brokerId: z.int(),
      brokerRole: z.enum(["ASYNC_MASTER", "SYNC_MASTER", "SLAVE"]),
      flushDiskType: z.enum(["ASYNC_FLUSH", "SYNC_FLUSH"]),
    })
    .optional(),
});

export const topologySchema = z.strictObject({
  name: z.string(),
  description: z.string(),
  dir: z.string(),
  hosts: z.array(z.string()),
  servers: z
    .record(
      z.string(),
      z.strictObject({ engine: z.string(), address: z.string(), bind: z.string() }),
    )
    .optional(),
  nodes: z.array(nodeSchema),
  clusterName: z.string(),
  promises: z.array(z.string()),
});

const rowSchema = z.strictObject({
  node: z.string(),
  role: z.string(),
  engine: z.string(),
  host: z.string(),
  alias: z.string(),
  address: z.string(),
  state: z.enum(["running", "paused", "stopped", "missing", "unreachable"]),
  health: z.enum(["ok", "degraded", "down"]),
  reason: z.string(),
  routes: z.record(z.string(), z.string().nullable()),
  lagBytes: z.number().nullable(),
  faults: z.array(z.string()),
  pid: z.int().nullable(),
  exitCode: z.int().nullable(),
  oomKilled: z.boolean(),
  cutOff: z.array(z.string()),
  startedAtMs: z.number().nullable(),
  rssBytes: z.number().nullable(),
  ports: z.record(z.string(), z.string()),
});

/** A lab at one instant. */
export const view = {
  lab: z.string(),
  preset: z.string(),
  cluster: z.string(),
  runtime: z.enum(["docker", "process"]),
  healthy: z.boolean(),
  namesrvAddr: z.string(),
  namesrvAddrInside: z.string(),
  dashboardUrl: z.string().nullable(),
  network: z.string().nullable(),
  image: z.string().nullable(),
  stateDir: z.string(),
  nodes: z.array(rowSchema),
  faults: z.array(
    z.strictObject({
      id: z.string(),
      kind: z.string(),
      state: z.string(),
      since: z.string(),
      until: z.string().nullable(),
      what: z.string(),
    }),
  ),
};

const nodeActs = z.array(z.strictObject({ node: z.string(), did: z.string() }));

/** What a verb did to nodes. */
export const acts = { lab: z.string(), nodes: nodeActs, ready: z.boolean() };

/** What `lab host up` did. */
export const hostUp = {
  lab: z.string(),
  host: z.string(),
  nodes: nodeActs,
  healed: z.array(z.string()),
};

/** A fault that was made, or with `--plan` only told: one of the two is null, both when there was nothing to do. */
export const faultMade = {
  lab: z.string(),
  fault: recordSchema.nullable(),
  plan: recordSchema.pick({ spec: true, steps: true, proofs: true }).nullable(),
};

/** The entries of the ledger. */
export const faultList = { lab: z.string(), faults: z.array(recordSchema) };

/** The data of all nodes under a name; bytes on the disk. */
export const snapshotSchema = z.strictObject({
  name: z.string(),
  createdAt: z.string(),
  preset: z.string(),
  size: z.string(),
  masters: z.record(z.string(), z.string()),
  fences: z.array(z.strictObject({ node: z.string(), logEnd: z.int(), at: z.string() })),
  nodes: z.array(z.strictObject({ node: z.string(), bytes: z.int(), logEnd: z.int().nullable() })),
  bytes: z.int(),
});

/** A snapshot that was made or put back, and the nodes that were stopped for it and run again. */
export const snapshotDone = {
  lab: z.string(),
  snapshot: snapshotSchema,
  restarted: z.array(z.string()),
};

const count = z.int().nonnegative();
const micros = z.number().nullable();

const latencySchema = z.strictObject({
  count,
  min: micros,
  p50: micros,
  p75: micros,
  p90: micros,
  p95: micros,
  p99: micros,
  p999: micros,
  p9999: micros,
  max: micros,
  mean: micros,
  stddev: micros,
});

const outcomesSchema = z.strictObject({
  attempted: count,
  ok: count,
  weak: z.record(z.string(), count),
  failed: count,
  unknown: count,
  handed: count,
});

/** A benchmark; latencies in microseconds. */
export const bench = {
  startedAt: z.string(),
  endedEarly: z.boolean(),
  workload: z.strictObject({
    producers: count,
    consumers: count,
    sizeBytes: count,
    ratePerSecond: z.number().nullable(),
    durationMs: z.number(),
    warmupMs: z.number(),
    topic: z.string(),
    mode: z.enum(["sync", "async", "oneway"]),
    window: count,
    queues: count,
  }),
  environment: z.strictObject({
    lab: z.string(),
    preset: z.string(),
    runtime: z.string(),
    version: z.string(),
    node: z.string(),
    cpu: z.string(),
    cores: count,
    memoryBytes: z.number(),
    kernel: z.string(),
    brokerConfig: z.record(z.string(), z.record(z.string(), z.string())),
  }),
  measuredSeconds: z.number(),
  messagesPerSecond: z.number(),
  bytesPerSecond: z.number(),
  load: z.strictObject({
    counts: outcomesSchema,
    completedInTime: count,
    service: latencySchema,
    response: latencySchema,
    lateness: latencySchema,
    waitedForSender: z.number(),
    unsent: z.number(),
  }),
  totals: outcomesSchema,
  generator: z.strictObject({
    loopUtilization: z.number(),
    loopDelayP99Ms: z.number(),
    cpuCores: z.number(),
    rssBytes: z.number(),
  }),
  verification: z.strictObject({
    method: z.enum(["offsets", "consumed"]),
    verdict: z.enum(["complete", "lost", "unexpected", "unknown"]),
    found: z.number(),
    expectedMin: z.number(),
    expectedMax: z.number(),
    lost: z.number(),
    duplicates: z.number(),
    unexpected: z.number(),
    why: z.string(),
  }),
  errors: z.record(z.string(), count),
  verdict: z.strictObject({
    verdict: z.enum(["valid", "lost", "invalid"]),
    reasons: z.array(z.string()),
  }),
  series: z.array(
    z.strictObject({
      second: z.int(),
      ok: count,
      weak: count,
      failed: count,
      unknown: count,
      handed: count,
      p50: micros,
      p99: micros,
      max: micros,
    }),
  ),
  savedTo: z.string(),
};
