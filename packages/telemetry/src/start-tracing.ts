import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type TraceSampler, type Work, workChannel } from '@millrace/event'
import { type AppendNews, appendNewsChannel } from '@millrace/log'
import { consumerChannel, type ConsumerEvent } from '@millrace/processor'
import { spansOfAppend } from './append-spans.ts'
import { spanOfCommit } from './commit-span.ts'
import type { OtlpOptions, SpanSink } from './otlp-sink.ts'
import { type SamplerName, samplerOf } from './sampler.ts'
import { spanOfWork } from './work-span.ts'

/** What {@link startTracing} is told. */
export interface TracingOptions extends OtlpOptions {
  /** Which traces are recorded; what fails is in any case. Default `parentbased_traceidratio`. */
  readonly sampler?: SamplerName
  /** Share of new traces that are recorded, from 0 to 1. Default 1. */
  readonly ratio?: number
}

/** Tracing that runs. */
export interface Tracing {
  /** For the doors: decides about each trace, once. */
  readonly sampler: TraceSampler
  /** Sends what has come so far. */
  flush(): Promise<void>
  /** Hears nothing more, sends what is left (within `stopMs`), and lets go of everything. */
  stop(): Promise<void>
}

/**
 * Loads OpenTelemetry's SDK, hears what the core tells on its diagnostics channels, and sends it as spans by OTLP. The
 * core knows nothing of it: where this is not called nothing is loaded, and nothing is made to be told.
 */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  const { openSink } = await import('./otlp-sink.ts')
  const sink = openSink(options)
  const ends = [
    listening<Work>(sink, workChannel, (work) => sink.add(spanOfWork(work))),
    listening<AppendNews>(sink, appendNewsChannel, (news) => {
      for (const span of spansOfAppend(news)) sink.add(span)
    }),
    listening<ConsumerEvent>(sink, consumerChannel, (event) => {
      const span = spanOfCommit(event)
      if (span !== undefined) sink.add(span)
    }),
  ]
  return {
    sampler: samplerOf(options.sampler ?? 'parentbased_traceidratio', options.ratio ?? 1),
    flush: () => sink.flush(),
    stop: async () => {
      for (const end of ends) end()
      await sink.close()
    },
  }
}

/** A mistake in here must not end the process, as Node would have it. */
function listening<News>(sink: SpanSink, name: string, hear: (news: News) => void): () => void {
  const listener = (message: unknown) => {
    try {
      hear(message as News)
    } catch (error) {
      sink.trouble(error)
    }
  }
  subscribe(name, listener)
  return () => void unsubscribe(name, listener)
}
