import { metricNames as m } from '../../../packages/service/src/metric-names.ts'
import { dashboard, toDashboard } from '../dashboard.ts'
import { is, matches, onDashboards as q } from '../queries.ts'

const groups = { group: matches('leads|leads-view|legacy-feed') }
const toRetries = toDashboard('retries', 'Retries and dead letters')

/** Sales leads out of offers, beside the legacy system and after it. */
export const leads = dashboard({
  name: 'leads',
  title: 'Leads',
  about: 'Offers in, leads out; whether ours are those of the legacy system; what holds them up.',
  panels: [
    { kind: 'row', title: 'Offers and leads' },
    {
      kind: 'timeseries',
      title: 'Offers and leads in an hour',
      description: 'Events new on the log, by type.',
      unit: 'short',
      shows: [
        {
          expr: q.increase(m.eventsAppended, '1h', ['topic', 'type'], { topic: matches('offers|sales') }),
          legend: '{{topic}} {{type}}',
        },
      ],
      width: 12,
    },
    {
      kind: 'timeseries',
      title: 'Requests of leads, p99',
      description: 'By route.',
      unit: 's',
      shows: [
        {
          expr: q.quantile(0.99, m.httpSeconds, ['method', 'route'], { service: is('leads') }),
          legend: '{{method}} {{route}}',
        },
      ],
      width: 12,
    },
    { kind: 'row', title: 'Beside the legacy system' },
    {
      kind: 'timeseries',
      title: 'Leads that differ',
      description: 'Keys whose state differs from what the legacy system has: millrace shadow names them.',
      unit: 'short',
      shows: [
        {
          expr: q.shared(m.shadowDifferences, ['field'], { group: is('leads') }),
          legend: '{{field}}',
        },
      ],
      width: 12,
      redFrom: 1,
    },
    {
      kind: 'timeseries',
      title: 'Effects of leads by state',
      description: 'Withheld: recorded by a shadow and not carried out.',
      unit: 'short',
      shows: [{ expr: q.shared(m.groupEffects, ['group', 'state'], groups), legend: '{{group}} {{state}}' }],
      width: 12,
      links: [toRetries],
    },
    { kind: 'row', title: 'What holds it up' },
    {
      kind: 'timeseries',
      title: 'From offer to lead and view, p99',
      description: 'Append to commit, by group.',
      unit: 's',
      shows: [{ expr: q.quantile(0.99, m.endToEndSeconds, ['group'], groups), legend: '{{group}}' }],
    },
    {
      kind: 'timeseries',
      title: 'Leads behind',
      description: 'Events that are not settled yet.',
      unit: 'short',
      shows: [{ expr: q.shared(m.groupLag, ['group'], groups), legend: '{{group}}' }],
    },
    {
      kind: 'timeseries',
      title: 'Leads parked, in line, deferred, dead',
      description: 'While the legacy system gives no answer, its feed waits parked.',
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
      links: [toRetries],
    },
  ],
})
