/**
 * The shape of every `--json` document by its `schema` member. The JSON Schema files beside this one are made from it and held equal by a test;
 * another test holds real output against them. A new member of a document is added here too.
 */
import { z } from "zod";
import { ADMIN_DOCUMENTS } from "./admin.ts";
import {
  acts,
  bench,
  faultList,
  faultMade,
  hostUp,
  portSchema,
  snapshotDone,
  snapshotSchema,
  topologySchema,
  view,
} from "./shapes.ts";

const vantages = z.array(z.string());

const MEMBERS: Readonly<Record<string, z.ZodRawShape>> = {
  ...ADMIN_DOCUMENTS,
  "lab.bench/1": bench,
  "lab.complete/1": { words: z.array(z.string()) },
  "lab.completion/1": { shell: z.string(), script: z.string() },
  "lab.config/1": {
    lab: z.string(),
    node: z.string(),
    running: z.boolean(),
    settings: z.array(
      z.strictObject({
        key: z.string(),
        value: z.string(),
        source: z.enum(["default", "file", "size", "set", "promote", "lab", "runtime"]),
        where: z.string(),
        nextStart: z.string().nullable(),
      }),
    ),
  },
  "lab.destroy/1": { lab: z.string(), destroyed: z.literal(true) },
  "lab.doctor/1": {
    lab: z.string(),
    ok: z.boolean(),
    findings: z.array(
      z.strictObject({
        check: z.string(),
        status: z.enum(["ok", "warn", "fail"]),
        found: z.string(),
        fix: z.string(),
      }),
    ),
  },
  "lab.doctor.addresses/1": {
    lab: z.string(),
    runtime: z.enum(["docker", "process"]),
    ok: z.boolean(),
    vantages,
    entries: z.array(
      z.strictObject({
        vantage: z.string(),
        node: z.string(),
        kind: z.enum(["namesrv", "broker"]),
        name: z.string(),
        brokerId: z.int().nullable(),
        address: z.string(),
        connectMs: z.number().nullable(),
        roundTripMs: z.number().nullable(),
        error: z.string(),
      }),
    ),
  },
  "lab.doctor.ports/1": {
    lab: z.string(),
    runtime: z.enum(["docker", "process"]),
    ok: z.boolean(),
    ports: z.array(
      z.strictObject({
        host: z.string(),
        port: z.int(),
        node: z.string(),
        what: portSchema.shape.name,
        fault: z.string().nullable(),
        whenClosed: z.string(),
        tries: z.array(
          z.strictObject({
            vantage: z.string(),
            address: z.string(),
            ms: z.number().nullable(),
            error: z.string(),
          }),
        ),
      }),
    ),
  },
  "lab.down/1": { lab: z.string(), stopped: z.array(z.string()) },
  "lab.endpoints/1": {
    lab: z.string(),
    vantages,
    endpoints: z.array(
      z.strictObject({
        node: z.string(),
        port: portSchema.shape.name,
        host: z.string(),
        addresses: z.record(z.string(), z.string().nullable()),
      }),
    ),
  },
  "lab.env/1": {
    lab: z.string(),
    shell: z.string(),
    variables: z.record(z.string(), z.string()),
  },
  "lab.error/1": {
    error: z.strictObject({
      code: z.string(),
      message: z.string(),
      hint: z.string(),
      exitCode: z.int(),
    }),
  },
  "lab.export/1": {
    format: z.literal("compose"),
    dir: z.string(),
    project: z.string(),
    namesrvAddr: z.string(),
    files: z.array(z.string()),
  },
  "lab.fault/1": faultMade,
  "lab.fault.list/1": faultList,
  "lab.firewall.close/1": faultMade,
  "lab.firewall.open/1": {
    lab: z.string(),
    host: z.string(),
    port: z.int(),
    healed: z.array(z.string()),
  },
  "lab.firewall.show/1": {
    lab: z.string(),
    ports: z.array(
      z.strictObject({
        host: z.string(),
        port: z.int(),
        node: z.string(),
        what: z.string(),
        state: z.enum(["open", "closed"]),
        fault: z.string().nullable(),
        whenClosed: z.string(),
      }),
    ),
  },
  "lab.heal/1": faultList,
  "lab.help/1": { text: z.string() },
  "lab.host.down/1": { ...faultMade, host: z.string() },
  "lab.host.up/1": hostUp,
  "lab.init/1": {
    dir: z.string(),
    from: z.string(),
    name: z.string(),
    files: z.array(z.string()),
  },
  "lab.kill/1": { ...acts, ...faultMade },
  "lab.logs/1": { lab: z.string(), nodes: z.record(z.string(), z.array(z.string())) },
  "lab.mqadmin/1": {
    lab: z.string(),
    args: z.array(z.string()),
    namesrvAddr: z.string(),
    local: z.string(),
    container: z.string(),
    dist: z.string().nullable(),
    exitCode: z.int().nullable(),
  },
  "lab.pause/1": { ...acts, ...faultMade },
  "lab.presets/1": { presets: z.array(topologySchema) },
  "lab.promote/1": {
    lab: z.string(),
    brokerName: z.string(),
    master: z.string(),
    before: z.string(),
    logs: z.array(
      z.strictObject({
        node: z.string(),
        logEnd: z.int().nullable(),
        aheadBytes: z.int(),
        aheadRecords: z.int(),
      }),
    ),
    stopped: z.array(z.string()),
    routes: z.record(z.string(), z.string().nullable()),
  },
  "lab.reset/1": { lab: z.string(), restarted: z.array(z.string()) },
  "lab.restart/1": acts,
  "lab.restore/1": {
    lab: z.string(),
    node: z.string(),
    from: z.string(),
    source: z.enum(["stopped", "paused"]),
    logEnd: z.int(),
    bytes: z.int(),
    aside: z.string().nullable(),
  },
  "lab.run/1": {
    lab: z.string(),
    command: z.array(z.string()),
    exitCode: z.int(),
    elapsedMs: z.number(),
  },
  "lab.schema/1": {
    document: z.string(),
    jsonSchema: z.record(z.string(), z.unknown()),
  },
  "lab.show/1": { topology: topologySchema, notes: z.array(z.string()) },
  "lab.snapshot.delete/1": { lab: z.string(), snapshot: snapshotSchema },
  "lab.snapshot.list/1": {
    lab: z.string(),
    snapshots: z.array(snapshotSchema),
    bytes: z.int(),
  },
  "lab.snapshot.restore/1": snapshotDone,
  "lab.snapshot.save/1": snapshotDone,
  "lab.start/1": acts,
  "lab.status/1": view,
  "lab.stop/1": { ...acts, ...faultMade },
  "lab.unpause/1": acts,
  "lab.up/1": {
    ...view,
    runtimeReason: z.string(),
    started: z.array(z.string()),
    readyMs: z.number(),
    waited: z.strictObject({
      routedMs: z.number(),
      probedMs: z.number(),
      syncedMs: z.number(),
    }),
  },
  "lab.wait/1": {
    lab: z.string(),
    until: z.enum(["ready", "healthy", "down"]),
    nodes: z.array(z.string()),
    waitedMs: z.number(),
  },
};

/** Values of the `schema` member, sorted. */
export const DOCUMENTS: readonly string[] = Object.keys(MEMBERS);

/**
 * @param document `lab.status/1`
 * @returns its JSON Schema (draft 7), or null when there is none
 */
export function jsonSchemaOf(document: string): Readonly<Record<string, unknown>> | null {
  const members = Object.hasOwn(MEMBERS, document) ? MEMBERS[document] : undefined;
  if (members === undefined) return null;
  const shape = z.strictObject({ schema: z.literal(document), ...members });
  return { ...z.toJSONSchema(shape, { target: "draft-7" }), title: document };
}
