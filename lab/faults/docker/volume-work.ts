/** What helper containers do on a node's volume, whether the node runs or not. */
import { EngineError } from "../../../engine/base/engine-error.ts";
import { DATA_DIR } from "../../compose/node-environment.ts";
import { CONTAINER_USER } from "../../compose/service.ts";
import { CLOCK_FILES } from "../../runtime/clock-files.ts";
import {
  diskAnswerSchema,
  type AgentResult,
  type DiskAnswer,
  type DiskRequest,
  type WipeRequest,
} from "../agent/protocol.ts";
import type { ClockAnswer, ClockRequest } from "../clock/offset-file.ts";
import type { Helpers } from "./helper-containers.ts";

/** The one folder that is root's own. */
const NOT_DATA = [...CLOCK_FILES, "lost+found"];

/** See the file's head. */
export class VolumeWork {
  private readonly helpers: Helpers;

  constructor(helpers: Helpers) {
    this.helpers = helpers;
  }

  /**
   * Removes a node's data.
   * @returns how many entries are left: 0
   */
  async wipe(fault: string, node: string): Promise<number> {
    const request: WipeRequest = { folder: DATA_DIR, keep: NOT_DATA };
    return (await this.ask(fault, node, { verb: "wipe", request }))?.value ?? -1;
  }

  /**
   * Shifts the clock of a node.
   * @returns what the node said; null when it has no volume
   * @throws EngineError LAB_FAULT_FAILED when the volume cannot be written
   */
  async setClock(fault: string, node: string, wanted: ClockRequest): Promise<ClockAnswer | null> {
    const request = { ...wanted, folder: DATA_DIR };
    const result = await this.ask(fault, node, { verb: "clock", request });
    return result === null ? null : (JSON.parse(result.text) as ClockAnswer);
  }

  /**
   * Fills a node's disk, makes room again, or only looks.
   * @returns what the file system says then; null when the node has no volume
   * @throws EngineError LAB_FAULT_FAILED
   */
  async disk(
    fault: string,
    node: string,
    wanted: Omit<DiskRequest, "folder">,
  ): Promise<DiskAnswer | null> {
    const request: DiskRequest = { ...wanted, folder: DATA_DIR };
    const result = await this.ask(fault, node, { verb: "disk", request });
    return result === null ? null : diskAnswerSchema.parse(JSON.parse(result.text));
  }

  private async ask(
    fault: string,
    node: string,
    work: { readonly verb: string; readonly request: unknown },
  ): Promise<AgentResult | null> {
    const command = [work.verb, JSON.stringify(work.request)];
    const results = await this.helpers.onVolume(fault, node, { command, user: CONTAINER_USER });
    const result = results?.[0];
    if (result === undefined) return null;
    if (result.code === 0) return result;
    throw new EngineError("LAB_FAULT_FAILED", {
      message: `${node}: its data cannot be worked on: ${result.text}`,
      hint: "`lab fault list` shows whether another fault holds its disk; heal that one first",
    });
  }
}
