import type { ChangeReport } from './change-stream.ts'

/** Everything that is wrong. */
export function changeFaults({ verdict, ahead, readers }: ChangeReport): readonly string[] {
  return [
    ...verdict.faults,
    ...ahead.slice(0, 5).map((one) => `the source was told too much: ${one}`),
    ...readers.stopped.map((why) => `a reader stopped: ${why}`),
    ...(readers.stopped.length === 0 && readers.fenced === 0
      ? ['no reader that overslept was refused: nothing was proven']
      : []),
  ]
}

/** The report as text. */
export function changeText(report: ChangeReport): string {
  const { seed, seconds, readers, writers, serverRestarts, looks, verdict } = report
  const faults = changeFaults(report)
  return [
    `seed ${seed}, ${seconds.toFixed(0)} s`,
    `${writers.changes} row changes in ${writers.transactions} transactions, ${writers.rolledBack} rolled back, ` +
      `${writers.unknown} cut off, ${writers.large} large values`,
    `readers: ${readers.kills} killed, ${readers.pauses} slept through their lease, ${readers.fenced} of their appends refused; ` +
      `PostgreSQL started again ${serverRestarts.postgres} times, Redis ${serverRestarts.redis} times`,
    `on the log: ${verdict.changes} changes, ${verdict.large} of them large, ${verdict.snapshots} snapshots; ` +
      `${looks} looks at what the source was told`,
    ...(faults.length === 0
      ? ['each committed change is there once, in the order of the commits; the source was never told more']
      : ['WRONG:', ...faults]),
  ].join('\n')
}
