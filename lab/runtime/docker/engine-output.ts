/** The stream of JSON lines that pulls, imports and builds answer with. A failed build is a line of it, not a failed request. */
import type Docker from "dockerode";
import { EngineError } from "../../../engine/base/engine-error.ts";

interface OutputLine {
  readonly stream?: string;
  readonly error?: string;
}

const TAIL_LINES = 8;

function linesOf(docker: Docker, stream: NodeJS.ReadableStream): Promise<readonly OutputLine[]> {
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(stream, (error: Error | null, output: OutputLine[]) => {
      if (error === null || error === undefined) resolve(output);
      else reject(error);
    });
  });
}

/**
 * Waits for the end of the work.
 * @param docker client the stream comes from
 * @param stream answer of pull, importImage or buildImage
 * @throws EngineError DOCKER_IMAGE_FAILED with the last lines of the output
 */
export async function finished(docker: Docker, stream: NodeJS.ReadableStream): Promise<void> {
  const lines = await linesOf(docker, stream);
  const failure = lines.find((line) => line.error !== undefined);
  if (failure === undefined) return;
  const tail = lines
    .map((line) => line.stream?.trimEnd() ?? "")
    .filter((line) => line !== "")
    .slice(-TAIL_LINES);
  throw new EngineError("DOCKER_IMAGE_FAILED", {
    message: [failure.error ?? "", ...tail].join("\n  "),
    hint: "the lines above are the engine's own",
  });
}
