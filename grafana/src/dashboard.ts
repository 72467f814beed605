import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { metricNames as m } from '../../packages/service/src/metric-names.ts'
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
  "Generated from grafana/src with Grafana's SDK; every query was run against Prometheus 2.42 that scraped a running " +
  'system (test/grafana). How it looks in Grafana was not tested.'

/** The whole of a dashboard: its panels, and what all of them have. */
export function dashboard({ name, title, about, panels }: DashboardSpec): Dashboard {
  const builder = new DashboardBuilder(`Millrace / ${title}`)
    .uid(uidOf(name))
    .description(`${about} ${verified}`)
    .tags(['millrace'])
    .version(1)
    .editable()
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .refresh('30s')
    .time({ from: 'now-6h', to: 'now' })
    .annotations(annotations())
    .variables(variables())
    .links(links())
  for (const one of layOut(panels))
    if (one instanceof RowBuilder) builder.withRow(one)
    else builder.withPanel(one)
  return inSight(builder.build())
}

/** The SDK's default hides links and marks in a menu; here they are what one looks for. */
function inSight(built: Dashboard): Dashboard {
  for (const one of [...(built.links ?? []), ...(built.annotations.list ?? [])]) delete one.placement
  return built
}

/** A link from a panel to another dashboard, with the time and the variables of this one. */
export function toDashboard(name: string, title: string): DashboardLinkBuilder {
  const kept = ['datasource', 'job', 'instance', 'ops'].map((variable) => `\${${variable}:queryparam}`)
  return new DashboardLinkBuilder(title)
    .type(DashboardLinkType.Link)
    .icon('dashboard')
    .url(`/d/${uidOf(name)}?\${__url_time_range}&${kept.join('&')}`)
}

/** A link from a panel to the operations page. */
export function toOperations(path: `/${string}`, title: string): DashboardLinkBuilder {
  return outside(title, '', `\${ops}${path}`)
}

const uidOf = (name: string) => `millrace-${name}`

function outside(title: string, tooltip: string, url: string): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title)
    .type(DashboardLinkType.Link)
    .icon('external link')
    .tooltip(tooltip)
    .url(url)
    .targetBlank(true)
}

function variables() {
  return [
    new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
    choice('job', 'Job', `label_values(${m.info.name}, job)`),
    choice('instance', 'Instance', `label_values(${m.info.name}{job=~"$job"}, instance)`),
    text('ops', 'Operations', 'Address of the operations listener (OPS_PORT)', 'http://127.0.0.1:3002'),
    text('correlation', 'Correlation id', 'What the links "Explain" ask for', ''),
  ]
}

function choice(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(chosenSource)
    .query({ query, refId: name })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all' })
    .sort(VariableSort.AlphabeticalAsc)
}

function text(name: string, label: string, description: string, value: string): TextBoxVariableBuilder {
  return new TextBoxVariableBuilder(name)
    .label(label)
    .description(description)
    .defaultValue(value)
    .current({ text: value, value })
}

function links(): DashboardLinkBuilder[] {
  return [
    new DashboardLinkBuilder('Millrace')
      .type(DashboardLinkType.Dashboards)
      .icon('external link')
      .tooltip('The other dashboards, with the same choice and time')
      .tags(['millrace'])
      .asDropdown(true)
      .includeVars(true)
      .keepTime(true),
    outside(
      'Explain',
      'What happened under the correlation id above',
      '${ops}/explain/correlation/${correlation}',
    ),
    outside('Queues and repairs', 'What waits for a retry or for an operator', '${ops}/queues'),
  ]
}

function annotations(): AnnotationQueryBuilder[] {
  const ofGroup = ['topic', 'group'] as const
  const ofBreaker = ['group', 'breaker', 'state'] as const
  return [
    marks('Rebalances', 'blue', q.increase(m.rebalances, '$__interval', [...ofGroup]), '{{topic}}/{{group}}'),
    marks('Repairs', 'purple', q.increase(m.repairs, '$__interval', [...ofGroup, 'kind']), '{{kind}}'),
    marks(
      'Breakers',
      'orange',
      q.increase(m.breakerChanges, '$__interval', [...ofBreaker]),
      '{{breaker}}: {{state}}',
    ),
  ]
}

function marks(name: string, color: string, expr: string, textFormat: string): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name(name)
    .enable(true)
    .datasource(chosenSource)
    .iconColor(color)
    .expr(`${expr} > 0`)
    .step('60s')
    .titleFormat(name)
    .textFormat(textFormat)
}
