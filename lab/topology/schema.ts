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

const hostNameSchema = z.enum(["host-1", "host-2"]);

/** A host that is a server of its own: a Docker Engine, and the address its published ports are reached at. */
const serverSchema = z.strictObject({
  name: hostNameSchema,
  engine: z
    .string()
    .regex(
      /^(unix:\/\/\/.+|tcp:\/\/[^/]+|ssh:\/\/[^/]+(\/.*)?)$/,
      "unix:///PATH, tcp://HOST:PORT or ssh://[USER@]HOST[:PORT][/PATH of the socket]",
    ),
  address: z.ipv4("an IPv4 address, the one clients and the other host reach this server at"),
  bind: z
    .ipv4("an IPv4 address of the server's own, for a server behind address translation")
    .optional(),
});

const nodeSchema = z.strictObject({
  name: nameSchema,
  role: z.enum(["namesrv", "broker-master", "broker-slave", "dashboard"]),
  host: hostNameSchema,
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
    .array(z.union([hostNameSchema, serverSchema]))
    .min(1)
    .max(2),
  nodes: z.array(nodeSchema).min(1),
});

/** The file as written. */
export type TopologyFile = z.infer<typeof topologySchema>;
export type NodeEntry = TopologyFile["nodes"][number];
export type HostEntry = TopologyFile["hosts"][number];
export type ServerEntry = z.infer<typeof serverSchema>;

/** Keys that are allowed at a place of the file, for the message about one that is not. */
export function allowedKeys(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(topologySchema.shape);
  if (path.at(-1) === "resources") return Object.keys(resourcesSchema.shape);
  if (path[0] === "hosts") return Object.keys(serverSchema.shape);
  return Object.keys(nodeSchema.shape);
}
