import { defineConfig } from 'vitest/config'

/** Where `.ci/run` wants the counts. */
const report = process.env['MILLRACE_TEST_REPORT']

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    pool: 'forks',
    // Tests wait more than they work: two of them leave a third of two cores idle.
    maxWorkers: 3,
    // Generous: a time limit is there to end a test that hangs, never to measure.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    teardownTimeout: 30_000,
    expect: { poll: { timeout: 20_000 } },
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    unstubEnvs: true,
    restoreMocks: true,
  },
})
