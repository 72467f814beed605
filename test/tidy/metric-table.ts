import { type MetricName, metricNames } from '@millrace/service'

/** The table of docs/metrics.md, as the declared metrics ask for it. */
export function metricTable(metrics: Readonly<Record<string, MetricName>> = metricNames): readonly string[] {
  return [
    '| metric | kind | labels | what it says |',
    '| --- | --- | --- | --- |',
    ...Object.values(metrics).map(
      ({ name, kind, labels, help }) =>
        `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${help} |`,
    ),
  ]
}
