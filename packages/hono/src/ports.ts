import type { TraceSampler } from '@millrace/event'

/** Where the ids of the present request are kept while its promises run, such as an AsyncLocalStorage. */
export interface ContextStore {
  run<T>(context: RequestIds, fn: () => T): T
  current(): RequestIds | undefined
  /** Decides which traces are recorded. Default: those that the caller records. */
  readonly sampler?: TraceSampler | undefined
}

/** Ids that go with everything which one request leads to. */
export interface RequestIds {
  readonly correlationId: string
  readonly causationId?: string | undefined
  readonly traceparent?: string | undefined
}

/** The logging that the kit does. `error` and `warn` are for the operator, `info` is one line a request. */
export interface KitLogger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** Counts requests. `route` is the template (`/users/:id`), never the path. */
export interface RequestMeter {
  begin(): void
  end(method: string, route: string, status: number, seconds: number): void
}

/** What `/health/ready` answers. */
export interface ReadinessReport {
  readonly state: 'ok' | 'degraded' | 'down'
  readonly dependencies: Readonly<Record<string, { readonly state: string; readonly message?: string }>>
}
