import { createPostgresSource } from '@millrace/postgres'
import { createPipeline, type Pipeline, type PipelineOptions, type PipelineStatus } from '@millrace/source'
import type { PipelineDefinition } from './pipeline-file.ts'

/** What {@link createCdc} needs. */
export interface CdcOptions extends Pick<
  PipelineOptions,
  'log' | 'store' | 'leaseMs' | 'standbyMs' | 'settleMs' | 'acknowledgeDelayMs' | 'chunkRows' | 'retryMs'
> {
  readonly pipelines: readonly PipelineDefinition[]
  /** What the readers of this process are called in the leases; unique to its life. Default: a fresh id each. */
  readonly holder?: string
  /** Hears of changes of state and of lost connections; must not throw. */
  readonly observe?: (news: CdcNews) => void
}

/** What {@link CdcOptions.observe} hears. */
export type CdcNews =
  | { readonly kind: 'state'; readonly pipeline: string; readonly status: PipelineStatus }
  | { readonly kind: 'connection'; readonly pipeline: string; readonly error: Error }

/** The readers of all pipelines of a configuration, in this process. */
export interface Cdc {
  readonly pipelines: readonly Pipeline[]
  start(): void
  stop(): Promise<void>
  /** The worst of all pipelines, with each one's words. */
  health(): { readonly state: 'ok' | 'degraded' | 'down'; readonly message?: string }
}

/** Makes the service of change streams. Several of it may run: each pipeline is read by one of them. */
export function createCdc(options: CdcOptions): Cdc {
  const { pipelines: definitions, holder, observe = () => undefined, ...others } = options
  const pipelines = definitions.map(({ name, database, publication, tables, mappings }) =>
    createPipeline({
      ...others,
      pipeline: name,
      mappings,
      source: createPostgresSource({
        url: database,
        name,
        tables,
        ...(publication === undefined ? {} : { publication }),
        onError: (error) => observe({ kind: 'connection', pipeline: name, error }),
      }),
      ...(holder === undefined ? {} : { holder }),
      observe: (status) => observe({ kind: 'state', pipeline: name, status }),
    }),
  )
  return {
    pipelines,
    start: () => {
      for (const one of pipelines) one.start()
    },
    stop: async () => {
      await Promise.all(pipelines.map((one) => one.stop()))
    },
    health: () => {
      const all = pipelines.map((one) => ({ name: one.name, ...one.health() }))
      const worst = all.find(({ state }) => state === 'down') ?? all.find(({ state }) => state === 'degraded')
      if (!worst) return { state: 'ok' }
      const words = all.flatMap(({ name, message }) => (message === undefined ? [] : [`${name}: ${message}`]))
      return { state: worst.state, message: words.join('; ') }
    },
  }
}
