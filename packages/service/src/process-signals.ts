import type { EventEmitter } from 'node:events'
import type { Logger } from './logger.ts'

/** What {@link handleProcess} needs of a process; `process` itself fits. */
export interface ProcessLike extends Pick<EventEmitter, 'on' | 'off'> {
  exit(code: number): void
}

/** Options of {@link handleProcess}. */
export interface HandleProcessOptions {
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error' | 'fatal'>
  /** The graceful stop, such as {@link Lifecycle.stop}. */
  readonly stop: () => Promise<void>
  /** Bound of the whole stop, in ms; then the process ends anyway. Default 15,000. */
  readonly stopTimeoutMs?: number
  readonly process?: ProcessLike
  /** Milliseconds on a clock that only goes forward; for tests. */
  readonly nowMs?: () => number
}

/** A repeat within this time is the same Ctrl-C: the terminal sends it to npm and to node, and npm hands it on. */
const sameSignalMs = 1_000

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const

/**
 * Ends the process in good order: the first SIGINT or SIGTERM stops gracefully and exits with 0, a later one
 * (not within a second of the first) exits at once with 128 + its number. An exception or rejection that
 * nobody caught is logged and exits with 1: nobody knows what state it left. Returns what takes it back.
 */
export function handleProcess(options: HandleProcessOptions): () => void {
  const target: ProcessLike = options.process ?? process
  const nowMs = options.nowMs ?? (() => performance.now())
  let firstAtMs: number | undefined
  const onSignal = (signal: keyof typeof exitCodes): void => {
    if (firstAtMs === undefined) {
      firstAtMs = nowMs()
      options.logger.info('Stopping', { signal })
      void stopThenExit(options, target)
    } else if (nowMs() - firstAtMs >= sameSignalMs) {
      options.logger.warn('Stopping at once', { signal })
      target.exit(exitCodes[signal])
    }
  }
  const onFatal = (error: unknown): void => {
    options.logger.fatal('The process ends: an error that nobody caught', {
      err: error instanceof Error ? error : new Error(String(error)),
    })
    target.exit(1)
  }
  const listeners = {
    SIGINT: onSignal,
    SIGTERM: onSignal,
    uncaughtException: onFatal,
    unhandledRejection: onFatal,
  }
  for (const [event, listener] of Object.entries(listeners)) target.on(event, listener)
  return () => {
    for (const [event, listener] of Object.entries(listeners)) target.off(event, listener)
  }
}

async function stopThenExit(options: HandleProcessOptions, target: ProcessLike): Promise<void> {
  const timeoutMs = options.stopTimeoutMs ?? 15_000
  const timer = setTimeout(() => {
    options.logger.error(`Stopping took longer than ${timeoutMs} ms`)
    target.exit(1)
  }, timeoutMs)
  try {
    await options.stop()
    options.logger.info('Stopped')
    target.exit(0)
  } catch (err) {
    options.logger.error('Not everything could be stopped', { err })
    target.exit(1)
  } finally {
    clearTimeout(timer)
  }
}
