import { metricNames as m } from '../../../packages/service/src/metric-names.ts'
import { dashboard, toDashboard, toOperations } from '../dashboard.ts'
import { onDashboards as q } from '../queries.ts'

const pipeline = ['pipeline'] as const
const ofPipeline = '{{pipeline}}'
const toProcessors = toDashboard('processors', 'Processors')

/** From the tables of a database to the log. */
export const changeStreams = dashboard({
  name: 'change-streams',
  title: 'Change streams',
  about: 'Who reads which database, how far behind it is, and what its database must keep for it.',
  panels: [
    { kind: 'row', title: 'Readers' },
    {
      kind: 'table',
      title: 'State of each pipeline',
      description:
        'As each process sees it: of several one reads (streaming, snapshot), the others stand by. Stopped: it says why in millrace cdc ls.',
      unit: 'short',
      shows: [{ expr: `${q.highest(m.pipelineState, ['instance', 'pipeline', 'state'])} == 1`, legend: '' }],
      width: 12,
      links: [toOperations('/health/ready', 'Health')],
    },
    {
      kind: 'timeseries',
      title: 'Rows of snapshots',
      description: 'Told, and left as PostgreSQL guesses.',
      unit: 'short',
      shows: [
        {
          expr: q.highest(m.pipelineSnapshotRows, ['pipeline', 'table', 'part']),
          legend: '{{pipeline}} {{table}} {{part}}',
        },
      ],
      width: 12,
    },
    { kind: 'row', title: 'How far' },
    {
      kind: 'timeseries',
      title: 'Behind',
      description: 'Log of the database whose changes are not safe on ours yet.',
      unit: 'bytes',
      shows: [{ expr: q.highest(m.pipelineBehind, pipeline), legend: ofPipeline }],
      width: 12,
    },
    {
      kind: 'timeseries',
      title: 'Held back by the slot',
      description: 'Log that the database must keep. When its disk is full, it stops.',
      unit: 'bytes',
      shows: [{ expr: q.highest(m.pipelineRetained, pipeline), legend: ofPipeline }],
      width: 12,
      redFrom: 1_073_741_824,
    },
    { kind: 'row', title: 'What comes' },
    {
      kind: 'timeseries',
      title: 'Row changes',
      description: 'Seen, mapped or not.',
      unit: 'ops',
      shows: [{ expr: q.rate(m.pipelineChanges, pipeline), legend: ofPipeline }],
      width: 12,
    },
    {
      kind: 'timeseries',
      title: 'Events brought to the log',
      description: 'New ones; what was there already is not counted again.',
      unit: 'ops',
      shows: [{ expr: q.rate(m.pipelineEvents, pipeline), legend: ofPipeline }],
      width: 12,
      links: [toProcessors],
    },
  ],
})
