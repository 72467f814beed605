import type { RestockingReport } from './restocking.ts'

/** Everything that is wrong. */
export function restockingFaults(report: RestockingReport): readonly string[] {
  const { readers, members, verdict } = report
  const proven = (what: string, times: number) => (times > 0 ? [] : [`no ${what}: nothing was proven`])
  return [
    ...(verdict?.faults ?? ['it did not come to rest']),
    ...readers.stopped.map((why) => `a reader stopped: ${why}`),
    ...members.ends.map((how) => `a member: ${how}`),
    ...(members.orphaned > 0 ? [`${members.orphaned} partitions were not taken over in time`] : []),
    ...proven('killed reader', readers.kills),
    ...proven('killed member', members.kills),
    ...proven('refused append of a reader that overslept', readers.fenced),
    ...proven('refused commit of a member that overslept', members.fenced),
  ]
}

/** The report as text. */
export function restockingText(report: RestockingReport): string {
  const { seed, seconds, readers, members, writers, serverRestarts, fillings, verdict } = report
  const faults = restockingFaults(report)
  return [
    `seed ${seed}, ${seconds.toFixed(0)} s`,
    `${writers.changes} row changes in ${writers.transactions} transactions, ${writers.movements} movements of stock among them; ` +
      `${writers.rolledBack} rolled back, ${writers.savepoints} to a savepoint, ${writers.unknown} cut off, ${writers.large} large orders`,
    `readers: ${readers.kills} killed, ${readers.pauses} slept through their lease, ${readers.fenced} of their appends refused`,
    `members: ${members.kills} killed, ${members.pauses} slept through their leases, ${members.fenced} of their commits refused, ` +
      `${members.already} known already; ${members.leases} leases`,
    `PostgreSQL started again ${serverRestarts.postgres} times, Redis ${serverRestarts.redis} times; filled or counted anew ${fillings} times`,
    `clicks by answer: ${JSON.stringify(members.clicks)}; news: ${JSON.stringify(members.news)}`,
    ...(verdict
      ? [
          `${verdict.supplyEvents} events of supplies: ${JSON.stringify(verdict.byType)}`,
          `${verdict.products} products, ${verdict.verdicts} verdicts, ${verdict.open} open suggestions, ` +
            `${verdict.completed} carried out, ${verdict.mails} mails (${verdict.mailsRepeated} sent again)`,
        ]
      : []),
    ...(faults.length === 0
      ? ['the stock of every product is that of the central database, and so is every open suggestion']
      : ['WRONG:', ...faults]),
  ].join('\n')
}
