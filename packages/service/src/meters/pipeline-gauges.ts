import { metricNames } from '../metric-names.ts'
import type { Metrics, Reading } from '../metrics.ts'

/** What a reader of a change stream says of its pipeline. */
export interface PipelineNumbers {
  readonly state: string
  readonly changes: number
  readonly events: number
  /** Undefined: another process reads it, and says so. */
  readonly behindBytes: number | undefined
  readonly retainedBytes: number | undefined
  readonly snapshots: readonly { readonly table: string; readonly rows: number; readonly of: number }[]
}

const states = [
  'standby',
  'opening',
  'snapshot',
  'streaming',
  'paused',
  'stopped',
  'waiting',
  'ended',
] as const

/** The pipelines of a process, looked at with each scrape. */
export class PipelineGauges {
  readonly #pipelines = new Map<string, () => PipelineNumbers>()

  constructor(metrics: Metrics) {
    metrics.gauge(metricNames.pipelineState, () =>
      this.#each(({ state: present }, name) =>
        states.map((state) => ({ labels: [name, state], value: state === present ? 1 : 0 })),
      ),
    )
    metrics.gauge(metricNames.pipelineBehind, () =>
      this.#each(({ behindBytes }, name) => known(name, behindBytes)),
    )
    metrics.gauge(metricNames.pipelineRetained, () =>
      this.#each(({ retainedBytes }, name) => known(name, retainedBytes)),
    )
    metrics.gauge(metricNames.pipelineChanges, () => this.#each(({ changes }, name) => known(name, changes)))
    metrics.gauge(metricNames.pipelineEvents, () => this.#each(({ events }, name) => known(name, events)))
    metrics.gauge(metricNames.pipelineSnapshotRows, () =>
      this.#each(({ snapshots }, name) =>
        snapshots.flatMap(({ table, rows, of }) => [
          { labels: [name, table, 'told'], value: rows },
          { labels: [name, table, 'left'], value: Math.max(0, of - rows) },
        ]),
      ),
    )
  }

  /** There is a reader of this pipeline in the process. */
  watch(pipeline: string, read: () => PipelineNumbers): void {
    this.#pipelines.set(pipeline, read)
  }

  #each(readings: (numbers: PipelineNumbers, name: string) => readonly Reading[]): readonly Reading[] {
    return [...this.#pipelines].flatMap(([name, read]) => readings(read(), name))
  }
}

function known(name: string, value: number | undefined): readonly Reading[] {
  return value === undefined ? [] : [{ labels: [name], value }]
}
