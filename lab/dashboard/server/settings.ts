import { z } from "zod";
import { EngineError } from "../../../engine/base/engine-error.ts";

/**
 * What the dashboard must know of its lab. It comes as JSON in the environment variable `LAB_DASHBOARD`, written by the runtime
 * (or by hand in a compose file); the dashboard holds no container engine and reads no lab state.
 */
const settingsSchema = z.strictObject({
  lab: z.string().min(1),
  preset: z.string().min(1),
  port: z.int().min(0).max(65_535),
  bindAddress: z.string().min(1),
  /** Host names it answers to besides those of the machine and of the lab: a server's address. */
  names: z.array(z.string()).default([]),
  hosts: z.array(z.string()).min(1),
  nodes: z.array(
    z.strictObject({
      node: z.string(),
      role: z.enum(["namesrv", "master", "slave", "dashboard"]),
      host: z.string(),
      /** Where the dashboard itself reaches the node. */
      address: z.string(),
      brokerName: z.string().optional(),
      brokerId: z.int().optional(),
      brokerRole: z.string().optional(),
    }),
  ),
});

export type DashboardSettings = z.infer<typeof settingsSchema>;
export type NodeSettings = DashboardSettings["nodes"][number];

/**
 * @param text value of `LAB_DASHBOARD`
 * @returns the checked settings
 * @throws EngineError DASHBOARD_SETTINGS_INVALID naming every field that is wrong
 */
export function parseSettings(text: string | undefined): DashboardSettings {
  const hint = "LAB_DASHBOARD must hold the lab's nodes as JSON; `lab up` writes it";
  if (text === undefined || text === "") {
    throw new EngineError("DASHBOARD_SETTINGS_INVALID", {
      message: "LAB_DASHBOARD is not set",
      hint,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EngineError("DASHBOARD_SETTINGS_INVALID", {
      message: "LAB_DASHBOARD is not JSON",
      hint,
      cause,
    });
  }
  const result = settingsSchema.safeParse(value);
  if (!result.success) {
    const problems = result.error.issues.map(
      (issue) => `${issue.path.join(".")}: ${issue.message}`,
    );
    throw new EngineError("DASHBOARD_SETTINGS_INVALID", { message: problems.join("; "), hint });
  }
  return result.data;
}
