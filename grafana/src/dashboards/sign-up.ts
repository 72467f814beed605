import { metricNames as m } from '../../../packages/service/src/metric-names.ts'
import { dashboard, toDashboard, toOperations } from '../dashboard.ts'
import { is, matches, onDashboards as q } from '../queries.ts'

const toProcessors = toDashboard('processors', 'Processors')
const toRetries = toDashboard('retries', 'Retries and dead letters')

/** The way of a sign-up: request, claim and append, view, mail. */
export const signUp = dashboard({
  name: 'sign-up',
  title: 'Uniq and sign-up',
  about: 'The way of a sign-up: the request, the claim with its append, the view, the mail.',
  panels: [
    { kind: 'row', title: 'Requests' },
    {
      kind: 'timeseries',
      title: 'Sign-ups by status',
      description:
        '201: the event is on the log. 409: the address is taken. 503: a part is away, nothing is half done.',
      unit: 'reqps',
      shows: [
        {
          expr: q.rate(m.httpRequests, ['route', 'status'], { service: is('gateway'), method: is('POST') }),
          legend: '{{route}} {{status}}',
        },
      ],
      stacked: true,
      links: [toOperations('/explain/correlation/${correlation}', 'Explain the correlation id above')],
    },
    {
      kind: 'timeseries',
      title: 'Latency by service, p99',
      description: 'Gateway includes user-command, which includes Uniq.',
      unit: 's',
      shows: [{ expr: q.quantile(0.99, m.httpSeconds, ['service']), legend: '{{service}}' }],
    },
    {
      kind: 'timeseries',
      title: 'Requests without an answer yet',
      description: 'It grows when something behind hangs.',
      unit: 'short',
      shows: [{ expr: q.sum(m.httpInFlight, ['service']), legend: '{{service}}' }],
    },
    { kind: 'row', title: 'Claims and appends' },
    {
      kind: 'timeseries',
      title: 'Claims',
      description: 'Won, lost to another owner, or void (the append was refused for another reason).',
      unit: 'ops',
      shows: [
        {
          expr: q.rate(m.claims, ['topic', 'constraint', 'action', 'outcome']),
          legend: '{{constraint}} {{action}} {{outcome}}',
        },
      ],
      stacked: true,
    },
    {
      kind: 'timeseries',
      title: 'Appends by outcome',
      description: 'Anything but appended, duplicate and unchanged is the code of a refusal or failure.',
      unit: 'ops',
      shows: [{ expr: q.rate(m.appends, ['topic', 'outcome']), legend: '{{topic}} {{outcome}}' }],
      stacked: true,
    },
    {
      kind: 'timeseries',
      title: 'Time of an append',
      description: 'From the call to the answer of the log.',
      unit: 's',
      shows: [
        { expr: q.quantile(0.5, m.appendSeconds, ['topic']), legend: '{{topic}} p50' },
        { expr: q.quantile(0.99, m.appendSeconds, ['topic']), legend: '{{topic}} p99' },
      ],
    },
    { kind: 'row', title: 'View and mail' },
    {
      kind: 'timeseries',
      title: 'Views behind',
      description: 'A read with its own position waits for this.',
      unit: 'short',
      shows: [{ expr: q.shared(m.viewLag, ['view', 'partition']), legend: '{{view}} {{partition}}' }],
      links: [toProcessors],
    },
    {
      kind: 'timeseries',
      title: 'From sign-up to mail, p99',
      description: 'End to end of the groups of the accounts topic.',
      unit: 's',
      shows: [
        {
          expr: q.quantile(0.99, m.endToEndSeconds, ['group'], { topic: is('accounts') }),
          legend: '{{group}}',
        },
      ],
      links: [toProcessors],
    },
    {
      kind: 'timeseries',
      title: 'Mails that wait',
      description: 'Parked, deferred and dead events of the accounts topic, by group.',
      unit: 'short',
      shows: [
        {
          expr: q.shared(m.groupEvents, ['group', 'place'], {
            topic: is('accounts'),
            place: matches('parked|lined|deferred|dead'),
          }),
          legend: '{{group}} {{place}}',
        },
      ],
      links: [toRetries],
    },
  ],
})
