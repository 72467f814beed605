import type { DashboardLink, DataSource, Panel, Target, Threshold } from './model.ts'

/** The data source that is chosen above the dashboard. */
export const chosenSource: DataSource = { type: 'prometheus', uid: '${datasource}' }

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
  readonly links?: readonly DashboardLink[]
}

/** A heading across the dashboard. */
export interface RowSpec {
  readonly kind: 'row'
  readonly title: string
}

type Place = Panel['gridPos']

/** Gives each panel its place, line by line from the left. */
export function layOut(specs: readonly (PanelSpec | RowSpec)[]): Panel[] {
  const panels: Panel[] = []
  let [x, y, lineHeight] = [0, 0, 0]
  for (const [index, spec] of specs.entries()) {
    const [w, h] = spec.kind === 'row' ? [24, 1] : [spec.width ?? 8, spec.height ?? 8]
    if (x + w > 24) [x, y, lineHeight] = [0, y + lineHeight, 0]
    panels.push(
      spec.kind === 'row' ? rowOf(spec, index + 1, { x, y, w, h }) : panelOf(spec, index + 1, { x, y, w, h }),
    )
    x += w
    lineHeight = Math.max(lineHeight, h)
  }
  return panels
}

function rowOf({ title }: RowSpec, id: number, gridPos: Place): Panel {
  return { id, type: 'row', title, gridPos, collapsed: false, panels: [] }
}

function panelOf(spec: PanelSpec, id: number, gridPos: Place): Panel {
  const { kind, title, description, unit, links = [] } = spec
  const steps = thresholdsOf(spec)
  return {
    id,
    type: kind,
    title,
    description,
    gridPos,
    datasource: chosenSource,
    targets: spec.shows.map((shown, index) => targetOf(shown, index, kind)),
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        color: { mode: steps.length > 1 && kind !== 'timeseries' ? 'thresholds' : 'palette-classic' },
        thresholds: { mode: 'absolute', steps },
        noValue: 'none',
        ...(kind === 'timeseries' ? { custom: lines(spec) } : {}),
      },
      overrides: [],
    },
    options: optionsOf(kind),
    links,
  }
}

function targetOf({ expr, legend }: Shown, index: number, kind: PanelSpec['kind']): Target {
  const isCurve = kind === 'timeseries'
  return {
    refId: String.fromCharCode(65 + index),
    datasource: chosenSource,
    expr,
    legendFormat: legend,
    instant: !isCurve,
    range: isCurve,
    exemplar: isCurve && expr.includes('_bucket'),
    format: kind === 'table' ? 'table' : 'time_series',
  }
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

function lines({ stacked = false, redFrom }: PanelSpec): Record<string, unknown> {
  return {
    drawStyle: 'line',
    lineWidth: 1,
    fillOpacity: stacked ? 30 : 5,
    showPoints: 'never',
    spanNulls: false,
    stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
    thresholdsStyle: { mode: redFrom === undefined ? 'off' : 'line' },
  }
}

function optionsOf(kind: PanelSpec['kind']): Record<string, unknown> {
  const latest = { calcs: ['lastNotNull'], fields: '', values: false }
  switch (kind) {
    case 'timeseries':
      return {
        legend: {
          displayMode: 'table',
          placement: 'bottom',
          showLegend: true,
          calcs: ['mean', 'max', 'lastNotNull'],
        },
        tooltip: { mode: 'multi', sort: 'desc' },
      }
    case 'stat':
      return { reduceOptions: latest, colorMode: 'background', graphMode: 'none', textMode: 'auto' }
    case 'bargauge':
      return { reduceOptions: latest, orientation: 'horizontal', displayMode: 'basic' }
    case 'table':
      return { showHeader: true, cellHeight: 'sm' }
  }
}
