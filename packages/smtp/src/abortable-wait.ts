import { gaveUp } from './mail-failure.ts'

/** A wait that somebody else ends, or the caller's signal (then with `mail.temporary`). */
export interface Wait {
  readonly done: Promise<void>
  /** Ends the wait well; false when it has ended already, so that nothing is handed to nobody. */
  readonly go: () => boolean
  /** Ends the wait with an error; false when it has ended already. */
  readonly fail: (error: Error) => boolean
}

export function abortableWait(signal?: AbortSignal): Wait {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let open = true
  const end = (settle: () => void): boolean => {
    if (!open) return false
    open = false
    signal?.removeEventListener('abort', onAbort)
    settle()
    return true
  }
  const onAbort = (): void => void end(() => reject(gaveUp('aborted')))
  if (signal?.aborted === true) onAbort()
  else signal?.addEventListener('abort', onAbort, { once: true })
  return { done: promise, go: () => end(resolve), fail: (error) => end(() => reject(error)) }
}
