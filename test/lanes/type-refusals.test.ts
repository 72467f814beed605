import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'

const root = path.join(import.meta.dirname, '../..')

/** A program with mistakes: the compiler must refuse exactly the lines that are marked, each for its own reason. */
const program = `
import { topic } from '@millrace/event'
import { dead, defineEffect, effect, emit, evolve, join, ofType, processor, state } from '@millrace/processor'
import { map } from 'rxjs'
import { z } from 'zod'

const offers = topic('offers', { types: { Made: z.object({ cents: z.int() }), Accepted: z.object({}) } })
const notes = topic('notes', { types: { Noted: z.object({ text: z.string() }), Closed: z.object({ why: z.string() }) } })
const quote = defineEffect('quote', { schema: z.object({ cents: z.int() }), run: () => {} })
const sum = state({ initial: () => ({ cents: 0 }) })

export const right = processor('right', offers, {
  state: sum,
  effects: [quote],
  pipeline: (lane) => lane.pipe(
    ofType('Made'),
    evolve((before, event) => ({ cents: before.cents + event.data.cents })),
    emit(notes, ({ state: { cents } }) => (cents > 1 ? { type: 'Noted', data: { text: '' } } : undefined)),
    emit(notes, ({ event }) => [{ type: 'Closed', data: { why: event.id } }, { type: 'Noted', data: { text: '' } }]),
    effect(quote, ({ event }) => ({ cents: event.data.cents })),
  ),
})

export const wrong = [
  processor('p', offers, { pipeline: (lane) => lane.pipe(ofType('Mode')) }), // refused: no such type
  processor('p', offers, { pipeline: (lane) => lane.pipe(ofType('Made'), map(({ data }) => data.cent)) }), // refused: no such field
  processor('p', offers, { pipeline: (lane) => lane.pipe(ofType('Made'), ofType('Accepted')) }), // refused: no longer there
  processor('p', offers, { pipeline: (lane) => lane.pipe(join('x', 'Made', 'Mode')) }), // refused: no such type
  processor('p', offers, { types: ['Mode'], handle: () => {} }), // refused: no such type
  processor('p', offers, { types: ['Made'], pipeline: (lane) => lane.pipe(ofType('Accepted')) }), // refused: left out
  processor('p', offers, { pipeline: (lane) => lane.pipe(emit(notes, () => ({ type: 'Note', data: { text: '' } }))) }), // refused: no such type
  processor('p', offers, { pipeline: (lane) => lane.pipe(emit(notes, () => ({ type: 'Noted', data: { txt: '' } }))) }), // refused: no such field
  processor('p', offers, { pipeline: (lane) => lane.pipe(emit(notes, () => ({ type: 'Noted', data: { text: 1 } }))) }), // refused: not a text
  processor('p', offers, { pipeline: (lane) => lane.pipe(emit(notes, () => ({ type: 'Closed', data: { text: '' } }))) }), // refused: of another type
  processor('p', offers, { pipeline: (lane) => lane.pipe(effect(quote, () => ({ cent: 1 }))) }), // refused: no such field
  processor('p', offers, { pipeline: (lane) => lane.pipe(dead(({ kind }) => kind)) }), // refused: no such attribute
  processor('p', offers, { pipeline: (lane) => lane.pipe(evolve(() => ({ cents: 1 }))) }), // refused: no state declared
  processor('p', offers, { state: sum, pipeline: (lane) => lane.pipe(evolve(() => ({ cent: 1 }))) }), // refused: another state
  processor('p', offers, { state: sum, pipeline: (lane) => lane.pipe(evolve((before) => ({ cents: before.cent }))) }), // refused: no such field
  processor('p', offers, { state: sum, pipeline: (lane) => lane.pipe(map(({ id }) => ({ id })), evolve((before) => before)) }), // refused: not an event of the lane
  processor('p', offers, { state: sum, handle: (_, context) => context.evolve({ cent: 1 }) }), // refused: another state
  processor('p', offers, { handle: (_, context) => context.emit(notes, { type: 'Note', data: { text: '' } }) }), // refused: no such type
  processor('p', offers, { handle: (_, context) => context.emit(notes, { type: 'Noted', data: {} }) }), // refused: a field is missing
  processor('p', offers, { handle: (_, context) => context.effect(quote, { cents: '' }) }), // refused: not a number
  processor('p', offers, { handle: () => {}, pipeline: (lane) => lane }), // refused: both
  processor('p', offers, {}), // refused: neither
]
`

test('a wrong event name, field or state does not compile', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'millrace-types-'))
  try {
    await symlink(path.join(root, 'node_modules'), path.join(directory, 'node_modules'))
    await writeFile(path.join(directory, 'program.ts'), program)
    await writeFile(path.join(directory, 'package.json'), '{ "type": "module" }')
    const options = { extends: path.join(root, 'tsconfig.json'), include: ['program.ts'] }
    await writeFile(path.join(directory, 'tsconfig.json'), JSON.stringify(options))
    const lines = program.split('\n')
    const marked = lines.flatMap((line, at) => (line.includes('// refused') ? [at + 1] : []))
    expect(await refusedLines(directory)).toEqual(marked)
    expect(marked).toHaveLength(22)
  } finally {
    await rm(directory, { recursive: true })
  }
})

/** The lines of the program that the compiler refuses. */
async function refusedLines(directory: string): Promise<number[]> {
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc')
  const { promise, resolve } = Promise.withResolvers<string>()
  // The compiler fails, as it should: what counts is what it says.
  execFile(process.execPath, [compiler, '-p', directory, '--pretty', 'false'], (_, stdout) => resolve(stdout))
  const faults = [...(await promise).matchAll(/program\.ts\((\d+),\d+\): error/g)]
  return [...new Set(faults.map(([, line]) => Number(line)))].toSorted((a, b) => a - b)
}
