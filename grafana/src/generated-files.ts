import { alertRules } from './alert-rules.ts'
import { alerts } from './alerts.ts'
import { dashboards } from './dashboards.ts'

/** Every file that is generated, with its path in the repository. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const ofDashboards = dashboards.map((one) => {
    const name = (one.uid ?? '').replace(/^millrace-/, '')
    return [`grafana/dashboards/${name}.json`, `${JSON.stringify(one, null, 2)}\n`] as const
  })
  return new Map([...ofDashboards, ['grafana/alerts/millrace.yml', alertRules(alerts)]])
}
