import { defineConfig } from "vitest/config";

// One project a suite of DESIGN 8, so that each can run alone and CI can split them.
const suite = (name: string, options: Record<string, unknown> = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], ...options },
});

export default defineConfig({
  test: {
    projects: [
      suite("unit"),
      suite("store", { testTimeout: 30_000 }),
      suite("interop", { testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false }),
      suite("e2e", { testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false }),
      suite("docker", { testTimeout: 180_000, hookTimeout: 300_000, fileParallelism: false }),
      suite("browser", { testTimeout: 60_000, hookTimeout: 120_000, fileParallelism: false }),
    ],
  },
});
