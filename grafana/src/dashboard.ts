import { metricNames as m } from '../../packages/service/src/metric-names.ts'
import type { Annotation, Dashboard, DashboardLink, Variable } from './model.ts'
import { chosenSource, layOut, type PanelSpec, type RowSpec } from './panel.ts'
import { onDashboards as q } from './queries.ts'

/** What a dashboard is about. */
export interface DashboardSpec {
  /** End of its address, and the name of its file. */
  readonly name: string
  readonly title: string
  /** What it answers. */
  readonly about: string
  readonly panels: readonly (PanelSpec | RowSpec)[]
}

/** What has been seen of the dashboards; said on each, and no more than that. */
const verified =
  'Generated from grafana/src; every query was run against Prometheus 2.42 that scraped a running system ' +
  '(test/grafana). How it looks in Grafana was not tested.'

/** The whole of a dashboard: its panels, and what all of them have. */
export function dashboard({ name, title, about, panels }: DashboardSpec): Dashboard {
  return {
    uid: uidOf(name),
    title: `Millrace / ${title}`,
    description: `${about} ${verified}`,
    tags: ['millrace'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    timezone: 'browser',
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    annotations: { list: annotations },
    templating: { list: variables },
    links,
    panels: layOut(panels),
  }
}

const aLink = {
  tags: [],
  asDropdown: false,
  includeVars: false,
  keepTime: false,
  targetBlank: true,
  icon: 'external link',
} as const

/** A link from a panel to another dashboard, with the time and the variables of this one. */
export function toDashboard(name: string, title: string): DashboardLink {
  const kept = ['datasource', 'job', 'instance', 'ops'].map((variable) => `\${${variable}:queryparam}`)
  const url = `/d/${uidOf(name)}?\${__url_time_range}&${kept.join('&')}`
  return { ...aLink, type: 'link', title, tooltip: '', targetBlank: false, icon: 'dashboard', url }
}

/** A link from a panel to the operations page. */
export function toOperations(path: `/${string}`, title: string): DashboardLink {
  return { ...aLink, type: 'link', title, tooltip: '', url: `\${ops}${path}` }
}

const uidOf = (name: string) => `millrace-${name}`

const variables: readonly Variable[] = [
  { type: 'datasource', name: 'datasource', label: 'Data source', query: 'prometheus', refresh: 1 },
  choice('job', 'Job', `label_values(${m.info.name}, job)`),
  choice('instance', 'Instance', `label_values(${m.info.name}{job=~"$job"}, instance)`),
  text('ops', 'Operations', 'Address of the operations listener (OPS_PORT)', 'http://127.0.0.1:3002'),
  text('correlation', 'Correlation id', 'What the links "Explain" ask for', ''),
]

function choice(name: string, label: string, query: string): Variable {
  return {
    type: 'query',
    name,
    label,
    datasource: chosenSource,
    query: { query, refId: name },
    refresh: 2,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
    sort: 1,
  }
}

function text(name: string, label: string, description: string, value: string): Variable {
  return { type: 'textbox', name, label, description, query: value, current: { text: value, value } }
}

const links: readonly DashboardLink[] = [
  {
    ...aLink,
    type: 'dashboards',
    title: 'Millrace',
    tags: ['millrace'],
    asDropdown: true,
    includeVars: true,
    keepTime: true,
    targetBlank: false,
    tooltip: 'The other dashboards, with the same choice and time',
    url: '',
  },
  {
    ...aLink,
    type: 'link',
    title: 'Explain',
    tooltip: 'What happened under the correlation id above',
    url: '${ops}/explain/correlation/${correlation}',
  },
  {
    ...aLink,
    type: 'link',
    title: 'Queues and repairs',
    tooltip: 'What waits for a retry or for an operator',
    url: '${ops}/queues',
  },
]

const annotations: readonly Annotation[] = [
  marks(
    'Rebalances',
    'blue',
    q.increase(m.rebalances, '$__interval', ['topic', 'group']),
    '{{topic}}/{{group}}',
  ),
  marks('Repairs', 'purple', q.increase(m.repairs, '$__interval', ['topic', 'group', 'kind']), '{{kind}}'),
  marks(
    'Breakers',
    'orange',
    q.increase(m.breakerChanges, '$__interval', ['group', 'breaker', 'state']),
    '{{breaker}}: {{state}}',
  ),
]

function marks(name: string, iconColor: string, expr: string, textFormat: string): Annotation {
  return {
    name,
    enable: true,
    datasource: chosenSource,
    iconColor,
    expr: `${expr} > 0`,
    step: '60s',
    titleFormat: name,
    textFormat,
  }
}
