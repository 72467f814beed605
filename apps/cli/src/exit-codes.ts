/** What the shell is told. Stable: scripts depend on it. */
export const exitCodes = {
  /** Done, and nothing to complain of. */
  ok: 0,
  /** Done, and there is something to look at: differences, refusals. */
  findings: 1,
  /** The command line or the settings are wrong; nothing was done. */
  usage: 2,
  /** A server cannot be reached, or answered with an error. */
  unavailable: 3,
  /** A mistake in the program itself (EX_SOFTWARE of sysexits.h); its stack is on stderr. */
  mistake: 70,
  /** Stopped by a signal before the end. */
  interrupted: 130,
} as const
