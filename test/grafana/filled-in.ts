/** What Grafana puts in for its variables and intervals. */
export function filledIn(expr: string): string {
  return expr.replaceAll(/\$(job|instance)\b/g, '.*').replaceAll(/\$__(rate_interval|interval)\b/g, '1m')
}
