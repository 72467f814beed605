import type { Alert } from './alerts.ts'
import { yaml } from './yaml.ts'

const header = `Alert rules for Prometheus (verified with 2.42: promtool check and test, and a running system).
Generated from grafana/src/alerts.ts by node grafana/write.ts.`

/** The rules as Prometheus reads them. */
export function alertRules(alerts: readonly Alert[]): string {
  const rules = alerts.map((alert) => ({
    alert: alert.name,
    // A line for each condition.
    expr: alert.expr.replaceAll(/ (and|or|unless) /g, '\n$1 '),
    for: alert.for,
    labels: { severity: alert.severity },
    annotations: { summary: alert.summary, runbook: `docs/runbooks/${alert.runbook}.md` },
  }))
  return yaml({ groups: [{ name: 'millrace', rules }] }, header)
}
