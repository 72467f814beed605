import { metricNames as m } from '../../../packages/service/src/metric-names.ts'
import { dashboard, toDashboard } from '../dashboard.ts'
import { is, matches, onDashboards as q } from '../queries.ts'

const supply = { topic: is('supply') }
const groups = { group: matches('restocking|restocking-view') }
const toChangeStreams = toDashboard('change-streams', 'Change streams')
const toRetries = toDashboard('retries', 'Retries and dead letters')

/** What is suggested to the planners, and what it rests on. */
export const restocking = dashboard({
  name: 'restocking',
  title: 'Restocking',
  about: 'What planners are told and what became of it; what comes in; how long a verdict takes.',
  panels: [
    { kind: 'row', title: 'Suggestions' },
    {
      kind: 'stat',
      title: 'Need attention',
      description: 'Clicks that could not be carried out: somebody must look.',
      unit: 'short',
      shows: [{ expr: q.highest(m.suggestions, [], { status: is('needs-attention') }), legend: '' }],
      width: 4,
      redFrom: 1,
      links: [toRetries],
    },
    {
      kind: 'timeseries',
      title: 'Suggestions by status',
      description: 'Open ones wait for a planner, those in progress for purchasing or the mail.',
      unit: 'short',
      shows: [{ expr: q.highest(m.suggestions, ['status']), legend: '{{status}}' }],
      width: 20,
      stacked: true,
    },
    { kind: 'row', title: 'What comes in' },
    {
      kind: 'timeseries',
      title: 'Supply events in an hour',
      description: 'By type. On a working day without StockLevelChanged the stock is not what is told.',
      unit: 'short',
      shows: [{ expr: q.increase(m.eventsAppended, '1h', ['type'], supply), legend: '{{type}}' }],
      width: 12,
      stacked: true,
      links: [toChangeStreams],
    },
    {
      kind: 'timeseries',
      title: 'From event to verdict and view, p99',
      description: 'Append to commit, of each of the two groups.',
      unit: 's',
      shows: [{ expr: q.quantile(0.99, m.endToEndSeconds, ['group'], groups), legend: '{{group}}' }],
      width: 12,
    },
    { kind: 'row', title: 'What holds it up' },
    {
      kind: 'timeseries',
      title: 'Restocking behind',
      description: 'Events that are not settled yet.',
      unit: 'short',
      shows: [{ expr: q.shared(m.groupLag, ['group'], groups), legend: '{{group}}' }],
      width: 12,
    },
    {
      kind: 'timeseries',
      title: 'Restocking parked, in line, deferred, dead',
      description: 'Orders whose owner cannot be asked wait parked; others go on.',
      unit: 'short',
      shows: [
        {
          expr: q.shared(m.groupEvents, ['group', 'place'], {
            ...groups,
            place: matches('parked|lined|deferred|dead'),
          }),
          legend: '{{group}} {{place}}',
        },
      ],
      width: 12,
      links: [toRetries],
    },
  ],
})
