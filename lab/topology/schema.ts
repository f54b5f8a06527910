/** What may stand in a `topology.yaml`. */
import { z } from "zod";

/** The most a host's block of addresses holds (see lab/compose/subnets.ts). */
export const NODES_PER_HOST_MAX = 6;

const NAME = /^[a-z][a-z0-9-]{0,30}$/;
const nameSchema = z
  .string()
  .regex(NAME, "small letters, digits and dashes, a letter first, at most 31");

const portSchema = z
  .int("a whole number")
  .min(1_024, "a port from 1024 to 65535")
  .max(65_535, "a port from 1024 to 65535");

const resourcesSchema = z.strictObject({
  memoryMiB: z.int().min(64).max(65_536),
  heapMiB: z.int().min(32).max(65_536),
  cpus: z.number().min(0.1).max(64),
});

const nodeSchema = z.strictObject({
  name: nameSchema,
  role: z.enum(["namesrv", "broker-master", "broker-slave", "dashboard"]),
  host: z.enum(["host-1", "host-2"]),
  alias: nameSchema,
  properties: z
    .string()
    .regex(/^[\w.-]+\.properties$/, "the name of a .properties file beside topology.yaml")
    .optional(),
  port: portSchema,
  publish: portSchema,
  resources: resourcesSchema,
});

export const topologySchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,30}$/, "small letters, digits and dashes, at most 31"),
  description: z.string().min(1),
  hosts: z
    .array(z.enum(["host-1", "host-2"]))
    .min(1)
    .max(2),
  nodes: z.array(nodeSchema).min(1),
});

/** The file as written. */
export type TopologyFile = z.infer<typeof topologySchema>;
export type NodeEntry = TopologyFile["nodes"][number];

/** Keys that are allowed at a place of the file, for the message about one that is not. */
export function allowedKeys(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(topologySchema.shape);
  if (path.at(-1) === "resources") return Object.keys(resourcesSchema.shape);
  return Object.keys(nodeSchema.shape);
}
