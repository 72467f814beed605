import { alerts } from './alerts.ts'
import { panelsOf, queriesOf } from './built-dashboard.ts'
import { dashboards } from './dashboards.ts'

/** An expression with the place where it stands. */
export interface Expression {
  readonly where: string
  readonly expr: string
  /** What its series are called: `{{label}}`. */
  readonly legend: string
}

/** Every expression of every dashboard, with its variables still in it. */
export function dashboardExpressions(): Expression[] {
  return dashboards.flatMap((one) => [
    ...panelsOf(one).flatMap((panel) =>
      queriesOf(panel).map(({ expr, legendFormat }) => ({
        where: `${one.title}: ${panel.title}`,
        expr,
        legend: legendFormat ?? '',
      })),
    ),
    ...(one.annotations.list ?? []).map(({ name, expr, textFormat }) => ({
      where: `annotation ${name}`,
      expr: expr ?? '',
      legend: textFormat ?? '',
    })),
  ])
}

/** The expression of every alert. */
export function alertExpressions(): Expression[] {
  return alerts.map(({ name, expr }) => ({ where: `alert ${name}`, expr, legend: '' }))
}
