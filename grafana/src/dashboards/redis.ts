import { metricNames as m } from '../../../packages/service/src/metric-names.ts'
import { dashboard, toDashboard } from '../dashboard.ts'
import { onDashboards as q } from '../queries.ts'

const group = ['topic', 'group'] as const
const ofGroup = '{{topic}}/{{group}}'
const toProcessors = toDashboard('processors', 'Processors')

/** Redis, and the members that share the partitions. */
export const redis = dashboard({
  name: 'redis',
  title: 'Redis and members',
  about: 'How Redis is and what it can promise; who has which partitions; how the processes are.',
  panels: [
    { kind: 'row', title: 'Redis' },
    {
      kind: 'stat',
      title: 'Answers',
      description: 'Whether it has answered the last probe of every process.',
      unit: 'bool_yes_no',
      shows: [{ expr: q.lowest(m.redisUp, []), legend: '' }],
      width: 4,
      greenFrom: 1,
    },
    {
      kind: 'stat',
      title: 'Safe',
      description: 'It evicts nothing, writes an append-only file, and its last write to disk went well.',
      unit: 'bool_yes_no',
      shows: [{ expr: q.lowest(m.redisSafe, []), legend: '' }],
      width: 4,
      greenFrom: 1,
    },
    {
      kind: 'stat',
      title: 'Evicted keys',
      description: 'Since its start. Anything but 0 is a loss.',
      unit: 'short',
      shows: [{ expr: q.highest(m.redisEvicted, []), legend: '' }],
      width: 4,
      redFrom: 1,
    },
    {
      kind: 'table',
      title: 'Policy and durability',
      description: 'maxmemory-policy, and when the append-only file is written through.',
      unit: 'short',
      shows: [{ expr: q.highest(m.redisMode, ['policy', 'fsync']), legend: '' }],
      width: 12,
    },
    {
      kind: 'timeseries',
      title: 'Memory',
      description: 'Used, and its limit. At the limit writes fail (noeviction), or keys are lost.',
      unit: 'bytes',
      shows: [
        { expr: q.highest(m.redisMemory, []), legend: 'used' },
        { expr: `${q.highest(m.redisMemoryMax, [])} > 0`, legend: 'limit' },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Round trip',
      description: 'Of a PING on the connection that appends use.',
      unit: 's',
      shows: [
        { expr: q.quantile(0.5, m.redisRoundTrip, ['instance']), legend: '{{instance}} p50' },
        { expr: q.quantile(0.99, m.redisRoundTrip, ['instance']), legend: '{{instance}} p99' },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Connections',
      description: 'Clients of this Redis.',
      unit: 'short',
      shows: [{ expr: q.highest(m.redisClients, []), legend: 'connections' }],
    },
    { kind: 'row', title: 'Members' },
    {
      kind: 'timeseries',
      title: 'Leases',
      description: 'Partitions by process. Their sum is the number of partitions.',
      unit: 'short',
      shows: [{ expr: q.sum(m.leases, ['instance', ...group]), legend: `{{instance}} ${ofGroup}` }],
      stacked: true,
    },
    {
      kind: 'timeseries',
      title: 'Members by state',
      description: 'As the process that sees most sees them.',
      unit: 'short',
      shows: [{ expr: q.highest(m.members, [...group, 'state']), legend: `${ofGroup} {{state}}` }],
    },
    {
      kind: 'timeseries',
      title: 'Rebalances in an hour',
      description: 'Assignments that each process has seen.',
      unit: 'short',
      shows: [
        { expr: q.increase(m.rebalances, '1h', ['instance', ...group]), legend: `{{instance}} ${ofGroup}` },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Partitions taken in an hour',
      description: 'By process.',
      unit: 'short',
      shows: [
        { expr: q.increase(m.leasesTaken, '1h', ['instance', ...group]), legend: `{{instance}} ${ofGroup}` },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Partitions given up in an hour',
      description: 'Moved and stop are in order; lost and fault are not.',
      unit: 'short',
      shows: [
        { expr: q.increase(m.leasesEnded, '1h', [...group, 'reason']), legend: `${ofGroup} {{reason}}` },
      ],
      links: [toProcessors],
    },
    {
      kind: 'timeseries',
      title: 'Hand-over, p99',
      description: 'Time in which a partition was drained for another member.',
      unit: 's',
      shows: [{ expr: q.quantile(0.99, m.handoverSeconds, group), legend: ofGroup }],
    },
    { kind: 'row', title: 'Processes' },
    {
      kind: 'timeseries',
      title: 'CPU',
      description: 'Cores used.',
      unit: 'short',
      shows: [
        {
          expr: `rate(${q.ofProcess('millrace_process_cpu_seconds_total')}[$__rate_interval])`,
          legend: '{{instance}}',
        },
      ],
    },
    {
      kind: 'timeseries',
      title: 'Memory of processes',
      description: 'Resident.',
      unit: 'bytes',
      shows: [{ expr: q.ofProcess('millrace_process_resident_memory_bytes'), legend: '{{instance}}' }],
    },
    {
      kind: 'timeseries',
      title: 'Delay of the event loop, p99',
      description: 'What every timer, request and heartbeat waits for.',
      unit: 's',
      shows: [{ expr: q.ofProcess('millrace_nodejs_eventloop_lag_p99_seconds'), legend: '{{instance}}' }],
      redFrom: 0.2,
    },
  ],
})
