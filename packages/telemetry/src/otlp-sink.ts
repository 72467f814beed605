import { diag, DiagLogLevel } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace'
import { readableSpan } from './readable-span.ts'
import type { SpanDraft } from './span-draft.ts'

/** Where spans are sent, and in whose name. Times in ms. */
export interface OtlpOptions {
  /** Base address of the collector, such as `http://127.0.0.1:4318`; spans go to `/v1/traces` below it. */
  readonly endpoint: string
  /** Sent with each request, such as a token of the collector. */
  readonly headers?: Readonly<Record<string, string>>
  /** `service.name` of all spans. */
  readonly service: string
  readonly version: string
  /** `service.instance.id`. */
  readonly instance: string
  /** How long a span waits for others to be sent with it. Default 1,000. */
  readonly delayMs?: number
  /** How long one export may take. Default 10,000. */
  readonly timeoutMs?: number
  /** How long the end may take: what cannot be sent by then is lost. Default 3,000. */
  readonly stopMs?: number
  /** Spans that may wait; more are dropped, and said to be. Default 8,192. */
  readonly mostWaiting?: number
  /** Hears of exports that fail and spans that are dropped, at most once in ten seconds; must not throw. */
  readonly onTrouble?: (error: unknown) => void
}

/** Takes spans and sends them. */
export interface SpanSink {
  add(span: SpanDraft): void
  trouble(error: unknown): void
  flush(): Promise<void>
  close(): Promise<void>
}

const quietMs = 10_000

/**
 * Opens the way to a collector: OpenTelemetry's own batches, exporter and limits. Spans are made when they have ended,
 * without a tracer: whether they are recorded has been decided at the door, and their ids are known.
 */
export function openSink(options: OtlpOptions): SpanSink {
  const { endpoint, headers = {}, service, version, instance } = options
  const { delayMs = 1_000, timeoutMs = 10_000, stopMs = 3_000, mostWaiting = 8_192 } = options
  const trouble = seldom(options.onTrouble ?? (() => undefined))
  const say = (message: string) => trouble(new Error(message))
  diag.setLogger(
    { error: say, warn: say, info: nothing, debug: nothing, verbose: nothing },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  )
  const exporter = new OTLPTraceExporter({
    url: new URL('v1/traces', endpoint.endsWith('/') ? endpoint : `${endpoint}/`).href,
    headers: { ...headers },
    timeoutMillis: timeoutMs,
  })
  const processor = new BatchSpanProcessor({
    exporter,
    scheduledDelayMillis: delayMs,
    exportTimeoutMillis: timeoutMs,
    maxQueueSize: mostWaiting,
  })
  const resource = resourceFromAttributes({
    'service.name': service,
    'service.version': version,
    'service.namespace': 'millrace',
    'service.instance.id': instance,
  })
  const scope = { name: '@millrace/telemetry', version }
  return {
    add: (draft) => {
      const span = readableSpan(draft, resource, scope)
      if (span !== undefined) processor.onEnd(span)
    },
    trouble,
    flush: () => processor.forceFlush(),
    close: async () => {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, stopMs)
      })
      try {
        await Promise.race([processor.shutdown(), late])
      } catch (error) {
        trouble(error)
      } finally {
        clearTimeout(timer)
        diag.disable()
      }
    },
  }
}

function nothing(): void {}

/** A collector that is away is said once in a while, not with each batch. */
function seldom(tell: (error: unknown) => void): (error: unknown) => void {
  let lastMs = Number.NEGATIVE_INFINITY
  return (error) => {
    if (performance.now() - lastMs < quietMs) return
    lastMs = performance.now()
    tell(error)
  }
}
