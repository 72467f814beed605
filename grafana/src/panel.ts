import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge'
import * as common from '@grafana/grafana-foundation-sdk/common'
import {
  type DashboardLinkBuilder,
  FieldColorBuilder,
  FieldColorModeId,
  type GridPos,
  type PanelBuilder,
  RowBuilder,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import * as stat from '@grafana/grafana-foundation-sdk/stat'
import * as table from '@grafana/grafana-foundation-sdk/table'
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries'

/** The data source that is chosen above the dashboard, so that one dashboard serves any Prometheus. */
export const chosenSource = { type: 'prometheus', uid: '${datasource}' }

/** A query and what its series are called. */
export interface Shown {
  readonly expr: string
  /** `{{label}}` is the value of a label. */
  readonly legend: string
}

/** A panel before it has its place. */
export interface PanelSpec {
  readonly kind: 'timeseries' | 'stat' | 'table' | 'bargauge'
  readonly title: string
  /** What it says, and what to do about it. */
  readonly description: string
  /** Unit of Grafana's list: `s`, `bytes`, `ops`, `short`, `percentunit`. */
  readonly unit: string
  readonly shows: readonly Shown[]
  /** Columns of 24. Default 8. */
  readonly width?: number
  /** Default 8. */
  readonly height?: number
  /** Series stand on each other. */
  readonly stacked?: boolean
  /** Red from here on, or below for a thing that is better when it is more. */
  readonly redFrom?: number
  readonly greenFrom?: number
  readonly links?: readonly DashboardLinkBuilder[]
}

/** A heading across the dashboard. */
export interface RowSpec {
  readonly kind: 'row'
  readonly title: string
}

/** A panel of any kind. */
type AnyPanel = Pick<PanelBuilder, 'build'>

/** Gives each panel its place, line by line from the left. */
export function layOut(specs: readonly (PanelSpec | RowSpec)[]): (AnyPanel | RowBuilder)[] {
  const panels: (AnyPanel | RowBuilder)[] = []
  let [x, y, lineHeight] = [0, 0, 0]
  for (const [index, spec] of specs.entries()) {
    const [w, h] = spec.kind === 'row' ? [24, 1] : [spec.width ?? 8, spec.height ?? 8]
    if (x + w > 24) [x, y, lineHeight] = [0, y + lineHeight, 0]
    const place = { x, y, w, h }
    panels.push(
      spec.kind === 'row'
        ? new RowBuilder(spec.title).id(index + 1).gridPos(place)
        : panelOf(spec, index + 1, place),
    )
    x += w
    lineHeight = Math.max(lineHeight, h)
  }
  return panels
}

function panelOf(spec: PanelSpec, id: number, place: GridPos): AnyPanel {
  const { kind, title, description, unit, links = [] } = spec
  const steps = thresholdsOf(spec)
  const judged = steps.length > 1 && kind !== 'timeseries'
  return emptyPanel(spec)
    .id(id)
    .title(title)
    .description(description)
    .gridPos(place)
    .datasource(chosenSource)
    .targets(spec.shows.map((shown, index) => targetOf(shown, index, kind)))
    .unit(unit)
    .min(0)
    .noValue('none')
    .colorScheme(
      new FieldColorBuilder().mode(judged ? FieldColorModeId.Thresholds : FieldColorModeId.PaletteClassic),
    )
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps))
    .links([...links])
}

function emptyPanel(spec: PanelSpec) {
  const latest = new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false)
  switch (spec.kind) {
    case 'timeseries':
      return curves(spec)
    case 'stat':
      return new stat.PanelBuilder()
        .reduceOptions(latest)
        .colorMode(common.BigValueColorMode.Background)
        .graphMode(common.BigValueGraphMode.None)
        .textMode(common.BigValueTextMode.Auto)
    case 'bargauge':
      return new bargauge.PanelBuilder()
        .reduceOptions(latest)
        .orientation(common.VizOrientation.Horizontal)
        .displayMode(common.BarGaugeDisplayMode.Basic)
    case 'table':
      return new table.PanelBuilder().showHeader(true).cellHeight(common.TableCellHeight.Sm)
  }
}

function curves({ stacked = false, redFrom }: PanelSpec) {
  const { Normal, None } = common.StackingMode
  const { Off, Line } = common.GraphThresholdsStyleMode
  return new timeseries.PanelBuilder()
    .drawStyle(common.GraphDrawStyle.Line)
    .lineWidth(1)
    .fillOpacity(stacked ? 30 : 5)
    .showPoints(common.VisibilityMode.Never)
    .spanNulls(false)
    .stacking(new common.StackingConfigBuilder().mode(stacked ? Normal : None).group('A'))
    .thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(redFrom === undefined ? Off : Line))
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.Table)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['mean', 'max', 'lastNotNull']),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    )
}

function targetOf({ expr, legend }: Shown, index: number, kind: PanelSpec['kind']): DataqueryBuilder {
  const isCurve = kind === 'timeseries'
  const query = new DataqueryBuilder()
    .refId(String.fromCharCode(65 + index))
    .datasource(chosenSource)
    .expr(expr)
    .legendFormat(legend)
    .exemplar(isCurve && expr.includes('_bucket'))
    .format(kind === 'table' ? PromQueryFormat.Table : PromQueryFormat.TimeSeries)
  return isCurve ? query.range() : query.instant()
}

function thresholdsOf({ redFrom, greenFrom }: PanelSpec): Threshold[] {
  if (greenFrom !== undefined)
    return [
      { color: 'red', value: null },
      { color: 'green', value: greenFrom },
    ]
  const green: Threshold = { color: 'green', value: null }
  return redFrom === undefined ? [green] : [green, { color: 'red', value: redFrom }]
}
