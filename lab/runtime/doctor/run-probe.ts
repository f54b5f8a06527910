/** The probe program in a container on one of the lab's hosts. */
import type { z } from "zod";
import { EngineError } from "../../../engine/base/engine-error.ts";
import type { LabRuntime } from "../runtime.ts";

/**
 * @param runtime of a lab in Docker that runs
 * @param host in whose network it stands
 * @param program words after `node /app/probe.mjs`, and the shape of its answer
 * @param signal ends it
 * @throws EngineError LAB_NOT_READY when it cannot be run, or is of another version of the lab
 */
export async function runProbe<Answer>(
  runtime: LabRuntime,
  host: string,
  program: { readonly args: readonly string[]; readonly answer: z.ZodType<Answer> },
  signal: AbortSignal,
): Promise<Answer> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const code = await runtime.runGuest({
    command: ["node", "/app/probe.mjs", ...program.args],
    host,
    image: undefined,
    environment: {},
    directory: null,
    stdin: null,
    onStdout: (chunk) => out.push(chunk),
    onStderr: (chunk) => err.push(chunk),
    say: () => undefined,
    signal,
  });
  const answer = code === 0 ? readAnswer(Buffer.concat(out).toString(), program.answer) : null;
  if (answer !== null) return answer;
  throw new EngineError("LAB_NOT_READY", {
    message: `the probe on ${host} ended with ${code}: ${Buffer.concat(err).toString().trim()}`,
    hint: "`lab down` and `lab up` make the containers anew, from the programs as they are built now",
  });
}

function readAnswer<Answer>(text: string, shape: z.ZodType<Answer>): Answer | null {
  try {
    return shape.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
