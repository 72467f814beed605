/**
 * What a keeper is told and what it says. One JSON value a line: the spec first and commands after it on the
 * keeper's stdin (the lifeline), reports on its stdout. Passwords belong in `env` or in files, never in `args`:
 * anybody on the machine can read a command line.
 */
export interface KeeperSpec {
  /** Name in sentences: 'Redis'. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Environment of the server, whole: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Run the server as this user and group. */
  readonly user?: { readonly uid: number; readonly gid: number }
  /** A line of output holding this text (in whatever case) means that the server answers. */
  readonly readyText: string
  /** Most time from start to ready, in ms. */
  readonly readyTimeoutMs: number
  /** Asks the server to stop cleanly. */
  readonly stopSignal: 'SIGTERM' | 'SIGINT'
  /** After this time, in ms, a server that was asked to stop is killed. */
  readonly stopTimeoutMs: number
  /** The server's output goes here (bounded, one older file is kept). */
  readonly logFile?: string
  /** Start a crashed server again, with back-off. */
  readonly restart: boolean
  readonly home: ServerHome
  /** Directories that are removed when the keeper ends (for tests). */
  readonly removeAtEnd: readonly string[]
}

/** The directory that only one server of ours works in. */
export interface ServerHome {
  readonly directory: string
  /** What the system calls the server's processes. */
  readonly processNames: readonly string[]
  /** A pid file in it, which means nothing once no process is found there. */
  readonly pidFile?: string
}

/** `kill` is SIGKILL to the server, which then stays down until `restart`. */
export type KeeperCommand = 'kill' | 'restart'

export type KeeperReport =
  | { readonly type: 'ready'; readonly pid: number }
  /** Could not be started; `output` is the end of what it printed. The keeper ends unless it was ready before. */
  | { readonly type: 'failed'; readonly reason: string; readonly output: string }
  | { readonly type: 'crashed'; readonly how: string; readonly restartInMs: number | null }
  | { readonly type: 'down' }
  | { readonly type: 'leftover'; readonly pids: readonly number[] }
