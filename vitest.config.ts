import { defineConfig } from "vitest/config";

// Real timers, JVMs, containers and browsers share two cores: every test gets one more try. The report shows each retry, and one that keeps
// coming is a bug to be found.
const RETRY = 1;

// One project a suite of DESIGN 8, so that each can run alone and CI can split them.
const suite = (name: string, options: Record<string, unknown> = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], ...options },
});

export default defineConfig({
  test: {
    projects: [
      suite("unit", { retry: RETRY }),
      suite("store", { retry: RETRY, testTimeout: 30_000 }),
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
