import { metricNames as m } from '../../packages/service/src/metric-names.ts'
import { inAlerts as q, is, matches } from './queries.ts'

/** An alert that somebody must act on. */
export interface Alert {
  /** `Millrace` and what is wrong. */
  readonly name: `Millrace${string}`
  readonly expr: string
  /** How long it must be so. */
  readonly for: string
  /** `page`: now; `ticket`: today. */
  readonly severity: 'page' | 'ticket'
  /** One sentence; `{{ $labels.x }}` and `{{ $value }}` as Prometheus fills them in. */
  readonly summary: string
  /** Name of its page in docs/runbooks. */
  readonly runbook: string
}

/** The objective: so many events are settled within so many seconds of their append. A bound of the histogram. */
const objective = { share: 0.99, seconds: '10' }

/** How much more than the objective allows went wrong, over a time. */
const burns = (within: string, times: number) =>
  `(1 - ${q.shareWithin(m.endToEndSeconds, objective.seconds, within, ['topic', 'group'])})` +
  ` > ${times} * ${(1 - objective.share).toFixed(2)}`

const waiting = q.shared(m.groupUnprocessable, ['topic', 'group'])
const waitedBefore = `(${waiting.replace(m.groupUnprocessable.name, `${m.groupUnprocessable.name} offset 1h`)})`

/** Stock that moved within the hours of a working day, in all processes. */
const stock = q.series(m.eventsAppended, { topic: is('supply'), type: is('StockLevelChanged') })
const workHours = '8h'

/** How often something was counted, the first time of a new series included, which `increase` does not see. */
function counted(expr: { readonly all: string; readonly grown: string }, by: string, within: string): string {
  return `(${expr.grown} > 0) or (sum by (${by}) (${expr.all} unless ${expr.all} offset ${within}) > 0)`
}

/** All alerts, those first that are about losses. */
export const alerts: readonly Alert[] = [
  {
    name: 'MillraceConservationBroken',
    expr: `${q.shared(m.groupDifferences, ['topic', 'group'])} > 0`,
    for: '2m',
    severity: 'page',
    summary:
      'Counters and structures of {{ $labels.topic }}/{{ $labels.group }} differ in {{ $value }} places: an event is lost, or there is a bug.',
    runbook: 'conservation-broken',
  },
  {
    name: 'MillraceRedisUnsafe',
    expr: `${q.lowest(m.redisSafe, ['job'])} == 0`,
    for: '5m',
    severity: 'page',
    summary: 'Redis may lose what it has confirmed: its policy, its append-only file, or its last write.',
    runbook: 'redis-unsafe',
  },
  {
    name: 'MillraceRedisMemory',
    expr: `${q.highest(m.redisMemory, ['job'])} / (${q.highest(m.redisMemoryMax, ['job'])} > 0) > 0.85`,
    for: '5m',
    severity: 'page',
    summary: 'Redis uses {{ $value | humanizePercentage }} of its memory; at 100 % every append is refused.',
    runbook: 'redis-memory',
  },
  {
    name: 'MillraceNoProgress',
    expr: `${q.shared(m.groupSinceProgress, ['topic', 'group', 'partition'])} > 120`,
    for: '1m',
    severity: 'page',
    summary:
      'Partition {{ $labels.partition }} of {{ $labels.topic }}/{{ $labels.group }} has lag and has not moved for {{ $value | humanizeDuration }}.',
    runbook: 'no-progress',
  },
  {
    name: 'MillraceSilent',
    expr: `(up{job=~"millrace.*"} == 0) or absent(${m.info.name})`,
    for: '5m',
    severity: 'page',
    summary:
      'Nothing is heard of {{ $labels.instance }}: what it does is not known, and no other alert can tell.',
    runbook: 'silent',
  },
  {
    name: 'MillraceEndToEndObjective',
    expr: `${burns('1h', 14.4)} and ${burns('5m', 14.4)}`,
    for: '2m',
    severity: 'page',
    summary:
      '{{ $value | humanizePercentage }} of the events of {{ $labels.topic }}/{{ $labels.group }} took longer than 10 s in the last hour; 1 % is allowed.',
    runbook: 'end-to-end-objective',
  },
  {
    name: 'MillraceEndToEndObjective',
    expr: `${burns('6h', 6)} and ${burns('30m', 6)}`,
    for: '15m',
    severity: 'ticket',
    summary:
      '{{ $value | humanizePercentage }} of the events of {{ $labels.topic }}/{{ $labels.group }} took longer than 10 s in the last six hours; 1 % is allowed.',
    runbook: 'end-to-end-objective',
  },
  {
    name: 'MillraceDependencyUnhealthy',
    expr: `${q.highest(m.dependencyState, ['job', 'instance', 'dependency'], { state: matches('degraded|down') })} == 1`,
    for: '30m',
    severity: 'page',
    summary: '{{ $labels.dependency }} is not healthy, seen from {{ $labels.instance }}, for half an hour.',
    runbook: 'dependency-unhealthy',
  },
  {
    name: 'MillraceDeadLettersGrowing',
    expr: `(${waiting} - ${waitedBefore} > 0) or (${waiting} unless ${waitedBefore})`,
    for: '5m',
    severity: 'ticket',
    summary:
      '{{ $value }} more events of {{ $labels.topic }}/{{ $labels.group }} wait for an operator than an hour ago.',
    runbook: 'dead-letters-growing',
  },
  {
    name: 'MillraceUnhandledErrors',
    expr: counted(
      {
        all: q.series(m.httpRequests, { status: is('500') }),
        grown: q.increase(m.httpRequests, '15m', ['service', 'route'], { status: is('500') }),
      },
      'service, route',
      '15m',
    ),
    for: '0s',
    severity: 'ticket',
    summary: '{{ $labels.service }} answered 500 on {{ $labels.route }}: an error that no code expected.',
    runbook: 'unhandled-errors',
  },
  {
    name: 'MillraceUnhandledErrors',
    expr: `changes(${q.ofProcess('millrace_process_start_time_seconds')}[30m]) > 2`,
    for: '0s',
    severity: 'page',
    summary: '{{ $labels.instance }} has ended and come back {{ $value }} times within half an hour.',
    runbook: 'unhandled-errors',
  },
  {
    name: 'MillraceSlotHoldsLog',
    expr: `${q.highest(m.pipelineRetained, ['pipeline'])} > ${2 ** 30}`,
    for: '15m',
    severity: 'page',
    summary:
      'The database of {{ $labels.pipeline }} keeps {{ $value | humanize1024 }}B of its log for the pipeline; when its disk is full, it stops.',
    runbook: 'slot-holds-log',
  },
  {
    name: 'MillraceNoStockEvents',
    expr:
      `(sum(increase(${stock}[${workHours}])) or vector(0)) == 0` +
      ` unless on () (sum(${stock} unless ${stock} offset ${workHours}) > 0)` +
      ` and on () (day_of_week() > 0) < 6 and on () hour() >= 16` +
      ` and on () (count(${m.suggestions.name} offset ${workHours}) > 0)`,
    for: '10m',
    severity: 'ticket',
    summary: 'No stock level has changed for eight hours of a working day (Monday to Friday, UTC).',
    runbook: 'no-stock-events',
  },
  {
    name: 'MillraceSuggestionsNeedAttention',
    expr: `${q.highest(m.suggestions, [], { status: is('needs-attention') })} > 0`,
    for: '30m',
    severity: 'ticket',
    summary: '{{ $value }} restocking suggestions were clicked and could not be carried out.',
    runbook: 'suggestions-need-attention',
  },
]
