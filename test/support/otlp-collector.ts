import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/** A span as it came by OTLP. */
export interface CollectedSpan {
  readonly name: string
  /** As OTLP numbers them: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly attributes: Readonly<Record<string, unknown>>
  readonly failed: boolean
  readonly startNs: bigint
  readonly endNs: bigint
  readonly service: string
  /** Everything about it, for searches. */
  readonly text: string
}

interface OtlpValue {
  readonly stringValue?: string
  readonly intValue?: number | string
  readonly doubleValue?: number
  readonly boolValue?: boolean
  readonly arrayValue?: { readonly values: readonly OtlpValue[] }
}
type OtlpAttributes = readonly { readonly key: string; readonly value: OtlpValue }[]
interface OtlpSpan {
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly attributes: OtlpAttributes
  readonly status?: { readonly code?: number }
}
interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: OtlpAttributes }
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[]
  }[]
}

/** A collector of traces: takes OTLP over HTTP as JSON, as any real one does, and keeps what comes. */
export class OtlpCollector {
  readonly spans: CollectedSpan[] = []
  readonly headers: IncomingMessage['headers'][] = []
  readonly #server = createServer((request, response) => {
    void this.#take(request).then((status) => response.writeHead(status).end('{}'))
  })
  readonly #waiting = new Set<() => void>()

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  static async start(): Promise<OtlpCollector> {
    const collector = new OtlpCollector()
    collector.#server.listen(0, '127.0.0.1')
    await once(collector.#server, 'listening')
    return collector
  }

  /** The spans that match, as soon as there are so many. */
  async until(matches: (span: CollectedSpan) => boolean, count = 1): Promise<readonly CollectedSpan[]> {
    for (;;) {
      const found = this.spans.filter(matches)
      if (found.length >= count) return found
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #take(request: IncomingMessage): Promise<number> {
    if (request.method !== 'POST' || request.url !== '/v1/traces') return 404
    if (request.headers['content-type'] !== 'application/json') return 415
    this.headers.push(request.headers)
    const body = (await json(request)) as OtlpRequest
    for (const { resource, scopeSpans } of body.resourceSpans)
      for (const { spans } of scopeSpans)
        for (const span of spans)
          this.spans.push(collected(span, String(valuesOf(resource.attributes)['service.name'])))
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
    return 200
  }
}

function collected(span: OtlpSpan, service: string): CollectedSpan {
  const { name, kind, traceId, spanId, parentSpanId, links = [], attributes, status } = span
  return {
    ...{ name, kind, traceId, spanId, service },
    parentSpanId: parentSpanId === '' ? undefined : parentSpanId,
    links: links.map((link) => ({ traceId: link.traceId, spanId: link.spanId })),
    attributes: valuesOf(attributes),
    failed: status?.code === 2,
    startNs: BigInt(span.startTimeUnixNano),
    endNs: BigInt(span.endTimeUnixNano),
    text: JSON.stringify(span),
  }
}

function valuesOf(attributes: OtlpAttributes): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, valueOf(value)]))
}

function valueOf({ stringValue, intValue, doubleValue, boolValue, arrayValue }: OtlpValue): unknown {
  if (arrayValue !== undefined) return arrayValue.values.map(valueOf)
  return stringValue ?? (intValue === undefined ? undefined : Number(intValue)) ?? doubleValue ?? boolValue
}
