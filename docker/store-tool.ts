/**
 * Works on the volumes of nodes that do not run: `node /app/store-tool.mjs JSON` does the operations in order and prints one line with their
 * results, or with what went wrong.
 */
import { z } from "zod";
import { operate, operationSchema, type StoreResult } from "../lab/stores/operations.ts";

const stop = new AbortController();
process.on("SIGTERM", () => stop.abort());

function answer(value: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify({ stores: "lab.stores/1", ...value })}\n`);
}

const results: StoreResult[] = [];
try {
  const operations = z.array(operationSchema).parse(JSON.parse(process.argv[2] ?? "[]"));
  for (const operation of operations) results.push(await operate(operation, stop.signal));
  answer({ results });
} catch (error) {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  answer({ error: error instanceof Error ? error.message : String(error), code });
  process.exitCode = 1;
}
