/** The part of Grafana's dashboard JSON (schema version 39) that is written here. */
export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly description: string
  readonly tags: readonly string[]
  readonly schemaVersion: 39
  readonly version: 1
  readonly editable: boolean
  readonly timezone: 'browser'
  readonly graphTooltip: 0 | 1 | 2
  readonly refresh: string
  readonly time: { readonly from: string; readonly to: string }
  readonly annotations: { readonly list: readonly Annotation[] }
  readonly templating: { readonly list: readonly Variable[] }
  readonly links: readonly DashboardLink[]
  readonly panels: readonly Panel[]
}

/** Which data source: `uid` is the variable's, so that one dashboard serves any Prometheus. */
export interface DataSource {
  readonly type: 'prometheus'
  readonly uid: string
}

/** Moments that are marked on every panel. */
export interface Annotation {
  readonly name: string
  readonly enable: boolean
  readonly datasource: DataSource
  readonly iconColor: string
  readonly expr: string
  readonly step: string
  readonly titleFormat: string
  readonly textFormat: string
}

/** What can be chosen above a dashboard. */
export type Variable =
  | {
      readonly type: 'datasource'
      readonly name: string
      readonly label: string
      readonly query: string
      readonly refresh: 1
    }
  | {
      readonly type: 'query'
      readonly name: string
      readonly label: string
      readonly datasource: DataSource
      readonly query: { readonly query: string; readonly refId: string }
      readonly refresh: 1 | 2
      readonly multi: boolean
      readonly includeAll: boolean
      readonly allValue: string
      readonly current: { readonly text: string; readonly value: string }
      readonly sort: 1
    }
  | {
      readonly type: 'textbox'
      readonly name: string
      readonly label: string
      readonly description: string
      readonly query: string
      readonly current: { readonly text: string; readonly value: string }
    }

/** A link above a dashboard or in the corner of a panel: to dashboards with a tag, or to an address. */
export interface DashboardLink {
  readonly type: 'dashboards' | 'link'
  readonly title: string
  readonly tags: readonly string[]
  readonly asDropdown: boolean
  readonly includeVars: boolean
  readonly keepTime: boolean
  readonly targetBlank: boolean
  readonly icon: string
  readonly tooltip: string
  readonly url: string
}

/** One query of a panel. */
export interface Target {
  readonly refId: string
  readonly datasource: DataSource
  readonly expr: string
  readonly legendFormat: string
  readonly instant: boolean
  readonly range: boolean
  readonly exemplar: boolean
  readonly format: 'time_series' | 'table'
}

/** A panel with data, or the heading of a row. */
export interface Panel {
  readonly id: number
  readonly type: 'timeseries' | 'stat' | 'table' | 'bargauge' | 'row'
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly datasource?: DataSource
  readonly targets?: readonly Target[]
  readonly fieldConfig?: FieldConfig
  readonly options?: Readonly<Record<string, unknown>>
  readonly links?: readonly DashboardLink[]
  readonly collapsed?: boolean
  readonly panels?: readonly Panel[]
}

/** A colour from a value on; the first holds from everywhere below. */
export interface Threshold {
  readonly color: string
  readonly value: number | null
}

interface FieldConfig {
  readonly defaults: {
    readonly unit: string
    readonly min?: number
    readonly color: { readonly mode: 'palette-classic' | 'thresholds' }
    readonly thresholds: { readonly mode: 'absolute'; readonly steps: readonly Threshold[] }
    readonly custom?: Readonly<Record<string, unknown>>
    readonly noValue?: string
  }
  readonly overrides: readonly []
}
