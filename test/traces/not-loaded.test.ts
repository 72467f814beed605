import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = path.join(import.meta.dirname, '../..')

/** What a process loads of OpenTelemetry that puts tracing together with these settings. */
async function loaded(settings: object): Promise<number> {
  const program = `
    import { registerHooks } from 'node:module'
    let count = 0
    registerHooks({
      load: (url, context, next) => {
        // Its words alone (@opentelemetry/api) come with prom-client.
        if (/@opentelemetry\\/(?!api)/.test(url)) count += 1
        return next(url, context)
      },
    })
    const { processTracing } = await import(${JSON.stringify(path.join(root, 'apps/all-in-one/src/process-tracing.ts'))})
    await import(${JSON.stringify(path.join(root, 'apps/all-in-one/src/process-kit.ts'))})
    const tracing = await processTracing(${JSON.stringify({ settings, names: ['mail', 'ops'] })}, console)
    await tracing?.stop()
    console.log(count)`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
  return Number(stdout)
}

test('without a collector nothing of OpenTelemetry is loaded', async () => {
  expect(await loaded({})).toBe(0)
  const settings = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_TRACES_SAMPLER: 'always_on',
    OTEL_TRACES_SAMPLER_ARG: '1',
  }
  expect(await loaded(settings)).toBeGreaterThan(10)
})
