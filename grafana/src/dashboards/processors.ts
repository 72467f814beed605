import { metricNames as m } from '../../../packages/service/src/metric-names.ts'
import { dashboard, toDashboard } from '../dashboard.ts'
import { onDashboards as q } from '../queries.ts'

const group = ['topic', 'group'] as const
const part = ['topic', 'group', 'partition'] as const
const ofGroup = '{{topic}}/{{group}}'
const ofPart = '{{topic}}/{{group}} {{partition}}'
const toRetries = toDashboard('retries', 'Retries and dead letters')
const toRedis = toDashboard('redis', 'Redis and members')

/** Groups: how far, how fast, and what holds them up. */
export const processors = dashboard({
  name: 'processors',
  title: 'Processors',
  about: 'How far each group is, how fast it goes, what its commits are like, and what holds it up.',
  panels: [
    { kind: 'row', title: 'Progress' },
    {
      kind: 'timeseries',
      title: 'Lag',
      description: 'Events behind the position of the group, by partition, counted by sequence number.',
      unit: 'short',
      shows: [{ expr: q.shared(m.groupLag, part), legend: ofPart }],
    },
    {
      kind: 'timeseries',
      title: 'Age of the oldest unprocessed event',
      description: '0 when there is none. It grows by a second a second when a partition stands still.',
      unit: 's',
      shows: [{ expr: q.shared(m.groupOldest, part), legend: ofPart }],
    },
    {
      kind: 'timeseries',
      title: 'Without progress',
      description:
        'Events wait and nothing of the partition moves. After a while the lease is let go (a stall).',
      unit: 's',
      shows: [{ expr: q.shared(m.groupSinceProgress, part), legend: ofPart }],
      redFrom: 60,
    },
    { kind: 'row', title: 'Throughput and latency' },
    {
      kind: 'timeseries',
      title: 'Appended',
      description: 'Events that are new on the log.',
      unit: 'ops',
      shows: [{ expr: q.rate(m.eventsAppended, ['topic', 'type']), legend: '{{topic}} {{type}}' }],
      stacked: true,
    },
    {
      kind: 'timeseries',
      title: 'Processed',
      description: 'Events settled by commits, by outcome.',
      unit: 'ops',
      shows: [{ expr: q.rate(m.eventsProcessed, [...group, 'outcome']), legend: `${ofGroup} {{outcome}}` }],
      stacked: true,
    },
    {
      kind: 'timeseries',
      title: 'Handling',
      description: 'Time in which a key had deliveries with its handler.',
      unit: 's',
      shows: [
        { expr: q.quantile(0.5, m.handlingSeconds, group), legend: `${ofGroup} p50` },
        { expr: q.quantile(0.99, m.handlingSeconds, group), legend: `${ofGroup} p99` },
      ],
    },
    {
      kind: 'timeseries',
      title: 'End to end',
      description: 'Time from the append of an event to the commit that settles it.',
      unit: 's',
      shows: [
        { expr: q.quantile(0.5, m.endToEndSeconds, group), legend: `${ofGroup} p50` },
        { expr: q.quantile(0.99, m.endToEndSeconds, group), legend: `${ofGroup} p99` },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Commits',
      description: 'Time of a commit, from the call to the answer of the store.',
      unit: 's',
      shows: [
        { expr: q.quantile(0.5, m.commitSeconds, group), legend: `${ofGroup} p50` },
        { expr: q.quantile(0.99, m.commitSeconds, group), legend: `${ofGroup} p99` },
      ],
      links: [toRedis],
    },
    {
      kind: 'timeseries',
      title: 'Events in a commit',
      description: 'Mean. Small commits under load cost Redis most.',
      unit: 'short',
      shows: [{ expr: q.mean(m.commitEvents, group), legend: ofGroup }],
    },
    { kind: 'row', title: 'What holds it up' },
    {
      kind: 'timeseries',
      title: 'Commits by outcome',
      description:
        'Fenced: another member has the partition. Some at a hand-over after a crash; more is a clock or network fault.',
      unit: 'ops',
      shows: [{ expr: q.rate(m.commits, [...group, 'outcome']), legend: `${ofGroup} {{outcome}}` }],
    },
    {
      kind: 'timeseries',
      title: 'Failed calls to log and store',
      description: 'They are made again.',
      unit: 'ops',
      shows: [{ expr: q.rate(m.troubles, [...group, 'reason']), legend: `${ofGroup} {{reason}}` }],
      links: [toRedis],
    },
    {
      kind: 'timeseries',
      title: 'Stalls in an hour',
      description: 'Partitions that had lag and no progress for so long that their lease was let go.',
      unit: 'short',
      shows: [{ expr: q.increase(m.stalls, '1h', group), legend: ofGroup }],
    },
    { kind: 'row', title: 'Where the events are' },
    {
      kind: 'timeseries',
      title: 'Events by place',
      description: 'Their sum is what has come since the beginning of the group: nothing disappears.',
      unit: 'short',
      shows: [{ expr: q.shared(m.groupEvents, [...group, 'place']), legend: `${ofGroup} {{place}}` }],
      width: 12,
      links: [toRetries],
    },
    {
      kind: 'timeseries',
      title: 'Differences of conservation',
      description: 'Counters against structures. Anything but 0 is a loss or a bug.',
      unit: 'short',
      shows: [{ expr: q.shared(m.groupDifferences, part), legend: ofPart }],
      width: 12,
      redFrom: 1,
    },
    {
      kind: 'timeseries',
      title: 'Not forwarded yet',
      description: 'Emitted events in the outbox.',
      unit: 'short',
      shows: [{ expr: q.shared(m.groupOutbox, group), legend: ofGroup }],
    },
    {
      kind: 'timeseries',
      title: 'Timers',
      description: 'Durable timers that are set.',
      unit: 'short',
      shows: [{ expr: q.shared(m.groupTimers, group), legend: ofGroup }],
    },
    {
      kind: 'timeseries',
      title: 'Views behind',
      description: 'Events on the log that are not in the view.',
      unit: 'short',
      shows: [{ expr: q.shared(m.viewLag, ['view']), legend: '{{view}}' }],
    },
    { kind: 'row', title: 'Lanes' },
    {
      kind: 'timeseries',
      title: 'Keys in memory',
      description: 'Lanes, and those whose first event waits for its next attempt.',
      unit: 'short',
      shows: [
        { expr: q.sum(m.lanes, ['instance', ...group]), legend: `{{instance}} ${ofGroup}` },
        {
          expr: q.sum(m.lanesWaiting, ['instance', ...group]),
          legend: `{{instance}} ${ofGroup} backing off`,
        },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Events in hand',
      description: 'Read and not settled. At its bound, reading waits for the handlers.',
      unit: 'short',
      shows: [{ expr: q.sum(m.inHand, ['instance', ...group]), legend: `{{instance}} ${ofGroup}` }],
    },
    {
      kind: 'timeseries',
      title: 'States found in memory',
      description: 'Keys whose state was needed: in memory (hit), or the store was asked (miss).',
      unit: 'ops',
      shows: [{ expr: q.rate(m.stateLookups, [...group, 'outcome']), legend: `${ofGroup} {{outcome}}` }],
    },
  ],
})
