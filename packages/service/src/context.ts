import { currentScope, runInScope, type Scope } from '@millrace/event'

/** Ids that go with everything which one request or event leads to. */
export type RunContext = Scope

/** Runs a function, and every promise that it starts, with these ids; log lines and calls carry them. */
export function runInContext<T>(context: RunContext, fn: () => T): T {
  return runInScope(context, fn)
}

/** The ids of what is running now. */
export function currentContext(): RunContext | undefined {
  return currentScope()
}

/** The same as a port, for the HTTP kit and others that take a store. */
export const contextStore = { run: runInContext, current: currentContext }
