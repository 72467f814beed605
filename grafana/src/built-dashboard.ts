import type { Dashboard, GridPos, Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus'

/** A panel or a row, with the place that {@link layOut} gave it. */
export type PlacedPanel = Pick<Panel, 'type' | 'title' | 'description' | 'links' | 'targets'> & {
  readonly gridPos: GridPos
}

/** Panels and rows of a dashboard. */
export function panelsOf({ title = '', panels = [] }: Dashboard): PlacedPanel[] {
  return panels.map((panel) => {
    const { gridPos } = panel
    if (gridPos === undefined) throw new Error(`${title}: ${panel.title ?? 'a panel'} has no place`)
    return { ...panel, gridPos }
  })
}

/** Queries of a panel; a row has none. */
export function queriesOf({ targets = [] }: PlacedPanel): Dataquery[] {
  return targets.filter(isQuery)
}

function isQuery(target: object): target is Dataquery {
  return 'expr' in target && typeof target.expr === 'string'
}
