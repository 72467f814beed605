import { hostname } from 'node:os'
import type { Logger } from '@millrace/service'
import type { Tracing } from '@millrace/telemetry'
import manifest from '../package.json' with { type: 'json' }
import type { HostOrder } from './host-messages.ts'
import { headersIn } from './settings.ts'

/** Starts tracing where OTEL_EXPORTER_OTLP_ENDPOINT names a collector; without it nothing of it is loaded. */
export async function processTracing(
  { settings, names }: Pick<HostOrder, 'settings' | 'names'>,
  logger: Logger,
): Promise<Tracing | undefined> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers = '' } = settings
  if (endpoint === undefined) return undefined
  const { startTracing } = await import('@millrace/telemetry')
  return startTracing({
    endpoint,
    headers: headers === '' ? {} : (headersIn(headers) ?? {}),
    sampler: settings.OTEL_TRACES_SAMPLER,
    ratio: Number(settings.OTEL_TRACES_SAMPLER_ARG),
    service: settings.OTEL_SERVICE_NAME ?? nameOf(names),
    version: manifest.version,
    instance: `${hostname()}-${process.pid}`,
    onTrouble: (error) => logger.warn('Traces cannot be sent', { err: error }),
  })
}

/** What a process that runs one service is called; the operations listener beside it changes nothing. */
function nameOf(names: readonly string[]): string {
  const others = names.filter((name) => name !== 'ops')
  return (
    (others.length === 1 ? others[0] : undefined) ?? (names.length === 1 ? names[0] : undefined) ?? 'millrace'
  )
}
