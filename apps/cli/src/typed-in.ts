import { addAbortSignal } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Surroundings } from './program.ts'

/** All that stands on stdin. @throws AbortError when the command is stopped meanwhile */
export async function typedIn({ in: input, signal }: Pick<Surroundings, 'in' | 'signal'>): Promise<string> {
  return text(addAbortSignal(signal, input))
}
