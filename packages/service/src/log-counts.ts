/** Lines that this process has logged, by level: plain variables, read at a scrape. */
export const linesLogged = { warn: 0, error: 0, fatal: 0 }

/** Counts a line, if its level is one that somebody looks at. */
export function countLine(level: string): void {
  if (level === 'warn' || level === 'error' || level === 'fatal') linesLogged[level] += 1
}
