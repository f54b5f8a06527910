/** @returns true when the disk had no room: the one error of a write that passes (S-26) */
export function isNoSpace(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOSPC";
}

/** @returns what was thrown, as an Error */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
