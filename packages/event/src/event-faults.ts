import type { MillraceError } from './error.ts'
import type { Event } from './event.ts'

// Nearly always empty: then nobody looks anything up.
let some = false
const faults = new WeakMap<Event, MillraceError>()

/** Notes why an event that lies on the log cannot be taken for what it says. */
export function noteFault(event: Event, fault: MillraceError): void {
  faults.set(event, fault)
  some = true
}

/** Why an event that lies on the log cannot be taken for what it says; undefined for all others. */
export function faultOf(event: Event): MillraceError | undefined {
  return some ? faults.get(event) : undefined
}
