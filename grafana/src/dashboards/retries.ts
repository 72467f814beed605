import { metricNames as m } from '../../../packages/service/src/metric-names.ts'
import { dashboard, toOperations } from '../dashboard.ts'
import { matches, onDashboards as q } from '../queries.ts'

const group = ['topic', 'group'] as const
const ofGroup = '{{topic}}/{{group}}'
const toQueues = toOperations('/queues', 'Queues and repairs')
const toStory = toOperations('/explain/correlation/${correlation}', 'Explain the correlation id above')

/** What failed, what is tried again, what waits for somebody, and what was done about it. */
export const retries = dashboard({
  name: 'retries',
  title: 'Retries and dead letters',
  about: 'What fails and is tried again, what waits for an operator and since when, and what operators did.',
  panels: [
    { kind: 'row', title: 'Waiting' },
    {
      kind: 'stat',
      title: 'For an operator',
      description: 'Dead letters and held keys.',
      unit: 'short',
      shows: [{ expr: q.shared(m.groupUnprocessable, []), legend: '' }],
      width: 4,
      redFrom: 1,
      links: [toQueues],
    },
    {
      kind: 'timeseries',
      title: 'Oldest that waits for an operator',
      description: 'Time since it was given up.',
      unit: 's',
      shows: [{ expr: q.shared(m.groupOldestUnprocessable, group), legend: ofGroup }],
      width: 10,
      links: [toQueues],
    },
    {
      kind: 'timeseries',
      title: 'Parked, in line, deferred, dead',
      description: 'A parked key holds up its own later events (lined) and no others.',
      unit: 'short',
      shows: [
        {
          expr: q.shared(m.groupEvents, [...group, 'place'], {
            place: matches('parked|lined|deferred|dead|requeued'),
          }),
          legend: `${ofGroup} {{place}}`,
        },
      ],
      width: 10,
      links: [toQueues],
    },
    {
      kind: 'table',
      title: 'By reason class',
      description: 'The fingerprint of the error; millrace dead ls --class shows one.',
      unit: 'short',
      shows: [{ expr: q.shared(m.groupUnprocessable, [...group, 'reason']), legend: '' }],
      width: 12,
      links: [toQueues, toStory],
    },
    {
      kind: 'timeseries',
      title: 'Jobs in queues',
      description: 'The projection of parked keys and dead letters in BullMQ.',
      unit: 'short',
      shows: [{ expr: q.shared(m.queueJobs, ['queue', 'state']), legend: '{{queue}} {{state}}' }],
      width: 12,
      links: [toQueues],
    },
    { kind: 'row', title: 'Failures' },
    {
      kind: 'timeseries',
      title: 'Attempts that failed',
      description: 'And are made again, by the code of the error.',
      unit: 'ops',
      shows: [{ expr: q.rate(m.retries, [...group, 'reason']), legend: `${ofGroup} {{reason}}` }],
      stacked: true,
      links: [toStory],
    },
    {
      kind: 'timeseries',
      title: 'Keys parked in an hour',
      description: 'By what the key waits for.',
      unit: 'short',
      shows: [
        {
          expr: q.increase(m.parkings, '1h', [...group, 'waits_for', 'reason']),
          legend: `${ofGroup} {{waits_for}} {{reason}}`,
        },
      ],
      stacked: true,
      links: [toStory],
    },
    {
      kind: 'timeseries',
      title: 'Dead letters in an hour',
      description: 'Events given up, by the code of the error.',
      unit: 'short',
      shows: [
        { expr: q.increase(m.deadLetters, '1h', [...group, 'reason']), legend: `${ofGroup} {{reason}}` },
      ],
      stacked: true,
      links: [toQueues, toStory],
    },
    { kind: 'row', title: 'Effects and breakers' },
    {
      kind: 'timeseries',
      title: 'Effects by state',
      description: 'Recorded and not confirmed.',
      unit: 'short',
      shows: [{ expr: q.shared(m.groupEffects, [...group, 'state']), legend: `${ofGroup} {{state}}` }],
    },
    {
      kind: 'timeseries',
      title: 'Differences from the other system',
      description:
        'Keys of a shadow whose state differs, by field, as the last comparison of all keys has found: millrace shadow names them.',
      unit: 'short',
      shows: [{ expr: q.shared(m.shadowDifferences, ['group', 'field']), legend: '{{group}} {{field}}' }],
    },
    {
      kind: 'timeseries',
      title: 'Attempts on effects',
      description: 'By outcome: confirmed, retried, dead.',
      unit: 'ops',
      shows: [
        {
          expr: q.rate(m.effects, [...group, 'effect', 'outcome']),
          legend: `${ofGroup} {{effect}} {{outcome}}`,
        },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Breakers that are not closed',
      description: 'Open: nothing is sent, nothing is lost, no attempt is burnt. Half-open: it probes.',
      unit: 'short',
      shows: [
        {
          expr: q.highest(m.breakerState, ['group', 'breaker', 'state'], {
            state: matches('open|half-open'),
          }),
          legend: '{{group}} {{breaker}} {{state}}',
        },
      ],
      redFrom: 1,
    },
    { kind: 'row', title: 'Repairs' },
    {
      kind: 'timeseries',
      title: 'Rulings in an hour',
      description: 'What operators ruled, on what. Who and why: millrace repairs.',
      unit: 'short',
      shows: [
        { expr: q.increase(m.repairs, '1h', [...group, 'kind', 'on']), legend: `${ofGroup} {{kind}} {{on}}` },
      ],
      width: 12,
      links: [toQueues],
    },
    {
      kind: 'timeseries',
      title: 'Changes of breakers in an hour',
      description: 'By the new state.',
      unit: 'short',
      shows: [
        {
          expr: q.increase(m.breakerChanges, '1h', ['group', 'breaker', 'state']),
          legend: '{{group}} {{breaker}} {{state}}',
        },
      ],
      width: 12,
    },
  ],
})
