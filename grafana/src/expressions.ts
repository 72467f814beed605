import { alerts } from './alerts.ts'
import { dashboards } from './dashboards.ts'

/** An expression with the place where it stands. */
export interface Expression {
  readonly where: string
  readonly expr: string
}

/** Every expression of every dashboard, with its variables still in it. */
export function dashboardExpressions(): Expression[] {
  return dashboards.flatMap(({ title, panels, annotations }) => [
    ...panels.flatMap((panel) =>
      (panel.targets ?? []).map(({ expr }) => ({ where: `${title}: ${panel.title}`, expr })),
    ),
    ...annotations.list.map(({ name, expr }) => ({ where: `${title}: annotation ${name}`, expr })),
  ])
}

/** The expression of every alert. */
export function alertExpressions(): Expression[] {
  return alerts.map(({ name, expr }) => ({ where: `alert ${name}`, expr }))
}
