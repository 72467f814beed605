import { AsyncLocalStorage } from 'node:async_hooks'

/** Ids that go with everything which one request or event leads to. */
export interface RunContext {
  readonly correlationId: string
  /** Id of the event or request that led to this one. */
  readonly causationId?: string
  /** W3C trace context. */
  readonly traceparent?: string
}

const storage = new AsyncLocalStorage<RunContext>()

/** Runs a function, and every promise that it starts, with these ids; log lines and calls carry them. */
export function runInContext<T>(context: RunContext, fn: () => T): T {
  return storage.run(context, fn)
}

/** The ids of what is running now. */
export function currentContext(): RunContext | undefined {
  return storage.getStore()
}

/** The same as a port, for the HTTP kit and others that take a store. */
export const contextStore = { run: runInContext, current: currentContext }
