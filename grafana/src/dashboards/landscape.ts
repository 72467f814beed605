import { metricNames as m } from '../../../packages/service/src/metric-names.ts'
import { dashboard, toDashboard, toOperations } from '../dashboard.ts'
import type { PanelSpec } from '../panel.ts'
import { is, matches, onDashboards as q } from '../queries.ts'

const toProcessors = toDashboard('processors', 'Processors')
const toRetries = toDashboard('retries', 'Retries and dead letters')
const toSignUp = toDashboard('sign-up', 'Uniq and sign-up')
const toRedis = toDashboard('redis', 'Redis and members')

const health: readonly PanelSpec[] = [
  {
    kind: 'stat',
    title: 'Not healthy',
    description:
      'Dependencies that are degraded or down, over all processes. Each is in the panel beside it.',
    unit: 'short',
    shows: [{ expr: `${q.sum(m.dependencyState, [], { state: matches('degraded|down') })}`, legend: '' }],
    width: 4,
    redFrom: 1,
    links: [toOperations('/health/ready', 'Health')],
  },
  {
    kind: 'table',
    title: 'Health of each dependency',
    description: 'The state that each process sees.',
    unit: 'short',
    shows: [
      { expr: `${q.highest(m.dependencyState, ['instance', 'dependency', 'state'])} == 1`, legend: '' },
    ],
    width: 8,
  },
  {
    kind: 'stat',
    title: 'Behind',
    description: 'Events on the log that some group has not come to yet.',
    unit: 'short',
    shows: [{ expr: q.shared(m.groupLag, []), legend: '' }],
    width: 4,
    links: [toProcessors],
  },
  {
    kind: 'stat',
    title: 'Differences of conservation',
    description:
      'Events that the counters and the structures disagree about. Anything but 0 is a loss or a bug.',
    unit: 'short',
    shows: [{ expr: q.shared(m.groupDifferences, []), legend: '' }],
    width: 4,
    redFrom: 1,
    links: [toProcessors],
  },
  {
    kind: 'stat',
    title: 'Redis is safe',
    description: 'It evicts nothing, writes an append-only file, and its last write to disk went well.',
    unit: 'bool_yes_no',
    shows: [{ expr: q.lowest(m.redisSafe, []), legend: '' }],
    width: 4,
    greenFrom: 1,
    links: [toRedis],
  },
  {
    kind: 'timeseries',
    title: 'Canary',
    description:
      'Time since the sending of the latest event that came through each partition of a topic of its own. One is sent a minute: beyond two something between append and commit stands.',
    unit: 's',
    shows: [{ expr: q.highest(m.canaryAge, ['partition']), legend: 'partition {{partition}}' }],
    width: 24,
    height: 5,
    redFrom: 150,
    links: [toProcessors],
  },
]

/** The six questions of who owns the system, at a glance. */
export const landscape = dashboard({
  name: 'landscape',
  title: 'Landscape',
  about:
    'Six questions at a glance: what was handled, how fast, how fast each endpoint answers, what users did and ' +
    'whether it worked, how the system and its dependencies are, what could not be processed and why.',
  panels: [
    { kind: 'row', title: 'How are the system and its dependencies?' },
    ...health,
    { kind: 'row', title: 'What was handled, by type and day, and how fast?' },
    {
      kind: 'timeseries',
      title: 'Events handled in a day, by type',
      description: 'Over the 24 hours before each moment. Events that groups skip are not counted.',
      unit: 'short',
      shows: [
        { expr: q.increase(m.eventsProcessed, '1d', ['type'], { outcome: is('done') }), legend: '{{type}}' },
      ],
      stacked: true,
      links: [toProcessors],
    },
    {
      kind: 'timeseries',
      title: 'Handling latency, p95',
      description:
        'Time in which a key had deliveries with its handler. A group has a handler for its types.',
      unit: 's',
      shows: [
        { expr: q.quantile(0.95, m.handlingSeconds, ['topic', 'group']), legend: '{{topic}}/{{group}}' },
      ],
      links: [toProcessors],
    },
    {
      kind: 'timeseries',
      title: 'End to end, p99',
      description: 'Time from the append of an event to the commit that settles it.',
      unit: 's',
      shows: [
        { expr: q.quantile(0.99, m.endToEndSeconds, ['topic', 'group']), legend: '{{topic}}/{{group}}' },
      ],
      links: [toProcessors],
    },
    { kind: 'row', title: 'How fast does each endpoint answer?' },
    {
      kind: 'timeseries',
      title: 'Latency of endpoints, p95',
      description: 'Without the requests that have no answer yet.',
      unit: 's',
      shows: [
        {
          expr: q.quantile(0.95, m.httpSeconds, ['service', 'method', 'route']),
          legend: '{{service}} {{method}} {{route}}',
        },
      ],
      width: 12,
      links: [toSignUp],
    },
    {
      kind: 'timeseries',
      title: 'Requests by status',
      description: '5xx are failures of ours; 4xx are refusals.',
      unit: 'reqps',
      shows: [{ expr: q.rate(m.httpRequests, ['service', 'status']), legend: '{{service}} {{status}}' }],
      width: 12,
      stacked: true,
    },
    { kind: 'row', title: 'What did users do, and did it work?' },
    {
      kind: 'timeseries',
      title: 'Actions that succeeded',
      description: 'Requests at the gateway that changed something, answered with 2xx or 3xx.',
      unit: 'reqps',
      shows: [
        {
          expr: q.rate(m.httpRequests, ['method', 'route'], {
            service: is('gateway'),
            method: matches('POST|PUT|PATCH|DELETE'),
            status: matches('[23]..'),
          }),
          legend: '{{method}} {{route}}',
        },
      ],
      width: 12,
      stacked: true,
      links: [toSignUp],
    },
    {
      kind: 'timeseries',
      title: 'Actions that failed',
      description: 'The same, refused (4xx) or failed (5xx).',
      unit: 'reqps',
      shows: [
        {
          expr: q.rate(m.httpRequests, ['method', 'route', 'status'], {
            service: is('gateway'),
            method: matches('POST|PUT|PATCH|DELETE'),
            status: matches('[45]..'),
          }),
          legend: '{{method}} {{route}} {{status}}',
        },
      ],
      width: 12,
      stacked: true,
      links: [toSignUp],
    },
    { kind: 'row', title: 'What could not be processed, and why?' },
    {
      kind: 'bargauge',
      title: 'Waiting for an operator, by reason',
      description: 'Dead letters and held keys by the class of their error.',
      unit: 'short',
      shows: [
        {
          expr: q.shared(m.groupUnprocessable, ['topic', 'group', 'reason']),
          legend: '{{topic}}/{{group}} {{reason}}',
        },
      ],
      width: 12,
      redFrom: 1,
      links: [toRetries, toOperations('/queues', 'Repair')],
    },
    {
      kind: 'timeseries',
      title: 'Dead letters in an hour',
      description: 'Events given up, by the code of the error.',
      unit: 'short',
      shows: [
        {
          expr: q.increase(m.deadLetters, '1h', ['topic', 'group', 'reason']),
          legend: '{{topic}}/{{group}} {{reason}}',
        },
      ],
      width: 12,
      stacked: true,
      links: [toRetries],
    },
    { kind: 'row', title: 'Which processes tell this?' },
    {
      kind: 'table',
      title: 'Processes',
      description: 'Version by process.',
      unit: 'short',
      shows: [{ expr: q.series(m.info), legend: '' }],
    },
    {
      kind: 'timeseries',
      title: 'Warnings and errors logged',
      description: 'Lines logged at warn or above.',
      unit: 'short',
      shows: [
        {
          expr: q.increase(m.logLines, '$__rate_interval', ['instance', 'level']),
          legend: '{{instance}} {{level}}',
        },
      ],
      stacked: true,
    },
    {
      kind: 'timeseries',
      title: 'What the metrics leave out',
      description: 'Label sets counted as other because a metric has too many, and readings that failed.',
      unit: 'short',
      shows: [
        { expr: q.increase(m.seriesFolded, '1h', ['metric']), legend: 'other: {{metric}}' },
        { expr: q.increase(m.readingsFailed, '1h', ['reading']), legend: 'failed: {{reading}}' },
      ],
    },
  ],
})
