import { dashboardExpressions } from '../../grafana/src/expressions.ts'
import { filledIn } from './filled-in.ts'

/**
 * The expression of the first panel with a title, of the series with these labels alone.
 *
 * @throws Error when there is no such panel
 */
export function panel(title: string, only: Readonly<Record<string, string>> = {}): string {
  const found = dashboardExpressions().find(({ where }) => where.endsWith(`: ${title}`))
  if (found === undefined) throw new Error(`No panel is called ${title}`)
  const conditions = Object.entries(only).map(([label, value]) => `${label}="${value}",`)
  return `(${filledIn(found.expr).replaceAll('{job=', `{${conditions.join('')}job=`)})`
}
