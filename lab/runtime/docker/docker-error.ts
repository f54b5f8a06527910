/** What a Docker Engine's refusals mean. dockerode throws plain errors with `statusCode`, sockets those with `code`. */
import { EngineError } from "../../../engine/base/engine-error.ts";

interface RawError {
  readonly statusCode?: number;
  readonly code?: string;
  readonly message?: string;
  readonly json?: { readonly message?: string };
}

/** @returns HTTP status of the engine's answer; undefined when it did not answer */
export function statusOf(error: unknown): number | undefined {
  return (error as RawError | null)?.statusCode;
}

/** @returns what the engine said, without dockerode's prefix */
export function reasonOf(error: unknown): string {
  const raw = error as RawError | null;
  const text = raw?.json?.message ?? raw?.message ?? String(error);
  return text.replace(/^\(HTTP code \d+\) [^-]* - /, "").trim();
}

const NOT_THERE: ReadonlySet<string> = new Set([
  "ENOENT",
  "ECONNREFUSED",
  "ETIMEDOUT",
  "ENOTFOUND",
]);
const NOT_ALLOWED: ReadonlySet<string> = new Set(["EACCES", "EPERM"]);

/**
 * @param error of a call to the engine
 * @param what was tried, as the beginning of a sentence
 * @returns the error to throw; an EngineError stays what it is
 */
export function dockerError(error: unknown, what: string): EngineError {
  if (error instanceof EngineError) return error;
  const code = (error as RawError | null)?.code ?? "";
  if (NOT_ALLOWED.has(code)) {
    return new EngineError("DOCKER_PERMISSION", {
      message: `${what}: no permission to use the Docker Engine's socket`,
      hint: "add yourself to the group docker (`sudo usermod -aG docker $USER`), log in again, and repeat the command",
      cause: error,
    });
  }
  if (NOT_THERE.has(code)) {
    return new EngineError("DOCKER_ENGINE_MISSING", {
      message: `${what}: no Docker Engine answers (${code})`,
      hint: "start Docker and repeat the command, or use `--runtime process`",
      cause: error,
    });
  }
  return new EngineError("DOCKER_REQUEST_FAILED", {
    message: `${what}: ${reasonOf(error)}`,
    hint: "`docker info` shows whether the engine is well",
    cause: error,
  });
}
