import { SingleBar } from 'cli-progress'

/** Where a command writes: data to `out`, everything else to `err`. */
export interface Terminal {
  readonly out: NodeJS.WritableStream
  readonly err: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

/** A progress bar on the error stream; lines at every tenth where that is no terminal. */
export interface Progress {
  update(done: number, total: number): void
  end(): void
}

/** Shows how far an act is while it lasts, however it ends: a bar that is left behind keeps the process alive. */
export async function withProgress<T>(
  terminal: Terminal,
  what: string,
  act: (progress: Pick<Progress, 'update'>) => Promise<T>,
): Promise<T> {
  const progress = progressOn(terminal, what)
  try {
    return await act(progress)
  } finally {
    progress.end()
  }
}

export function progressOn(terminal: Terminal, what: string): Progress {
  if (terminal.err.isTTY !== true) return linesOn(terminal, what)
  const bar = new SingleBar({
    format: `${what} {bar} {percentage}% {value}/{total} ETA {eta_formatted}`,
    stream: terminal.err,
    hideCursor: true,
  })
  let started = false
  return {
    update: (done, total) => {
      if (!started) bar.start(total, done)
      started = true
      bar.setTotal(total)
      bar.update(done)
    },
    end: () => {
      if (started) bar.stop()
    },
  }
}

function linesOn(terminal: Terminal, what: string): Progress {
  let shown = -1
  return {
    update: (done, total) => {
      const tenth = total === 0 ? 10 : Math.floor((done * 10) / total)
      if (tenth === shown) return
      shown = tenth
      terminal.err.write(`${what}: ${done} of ${total}\n`)
    },
    end: () => undefined,
  }
}

/** What is told, with a full stop unless it ends like a sentence. */
export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

/** Rows as aligned columns. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
