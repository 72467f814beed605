import { dashboards } from './dashboards.ts'

/** Every file that is generated, with its path in the repository. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map(
    dashboards.map((one) => [
      `grafana/dashboards/${one.uid.replace(/^millrace-/, '')}.json`,
      `${JSON.stringify(one, null, 2)}\n`,
    ]),
  )
}
