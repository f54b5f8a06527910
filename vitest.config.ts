import { defineConfig } from "vitest/config";

// Suites that start JVMs, containers and browsers on two shared cores get one more try; the report shows each retry, and one that keeps
// coming is a bug to be found. Unit and store tests get none.
const RETRY = 1;

// One project a suite of DESIGN 8, so that each can run alone and CI can split them.
const suite = (name: string, options: Record<string, unknown> = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], ...options },
});

export default defineConfig({
  test: {
    projects: [
      suite("unit"),
      suite("store", { testTimeout: 30_000 }),
      suite("interop", {
        retry: RETRY,
        testTimeout: 120_000,
        hookTimeout: 120_000,
        fileParallelism: false,
      }),
      suite("e2e", {
        retry: RETRY,
        testTimeout: 120_000,
        hookTimeout: 120_000,
        fileParallelism: false,
      }),
      suite("docker", {
        retry: RETRY,
        testTimeout: 180_000,
        hookTimeout: 300_000,
        fileParallelism: false,
      }),
      suite("browser", {
        retry: RETRY,
        testTimeout: 60_000,
        hookTimeout: 120_000,
        fileParallelism: false,
      }),
    ],
  },
});
